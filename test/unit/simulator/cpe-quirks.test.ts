import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CpeMethods, type CpeModel, type CpeTransport, NoAnswer } from '../../../src/cwmp/index.ts'
import { dropsSessions, newConnections, slow, withQuirks } from '../../../src/simulator/cpe-quirks/index.ts'
import { FAULTS, type Fault, quirksOf } from '../../../src/simulator/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { type CpePost, eventsOf, ScriptedAcs, valuesOf } from '../../support/scripted-acs.ts'
import { makeDevice } from '../../support/simulated-device.ts'
import { until } from '../../support/until.ts'

const CPE = join(import.meta.dirname, '../../../src/cwmp/cpe')

const get = (...names: string[]) =>
  `<c:GetParameterValues><ParameterNames>${names.map((name) => `<string>${name}</string>`).join('')}</ParameterNames></c:GetParameterValues>`
const set = (...values: [string, string, string][]) =>
  `<c:SetParameterValues><ParameterList>${values
    .map(
      ([name, value, type]) =>
        `<ParameterValueStruct><Name>${name}</Name><Value i:type="d:${type}">${value}</Value></ParameterValueStruct>`,
    )
    .join('')}</ParameterList><ParameterKey/></c:SetParameterValues>`

const NAME = 'Device.DeviceInfo.ModelName'
const HOST = 'Device.Hosts.Host.1.'
const RADIO = 'Device.WiFi.Radio.1.Enable'
const WAN = 'Device.IP.Interface.1.'

/** The requests of the first session, each with a name. */
const REQUESTS = {
  list: `<c:GetParameterNames><ParameterPath>${HOST}</ParameterPath><NextLevel>1</NextLevel></c:GetParameterNames>`,
  listed: get(`${HOST}HostName`),
  object: get(HOST),
  emptyTable: get('Device.NAT.PortMapping.'),
  batch: get(NAME, NAME, NAME, NAME, NAME, NAME),
  boolean: get(RADIO),
  secret: get('Device.ManagementServer.Password'),
  addRow: '<c:AddObject><ObjectName>Device.USPAgent.Controller.</ObjectName><ParameterKey/></c:AddObject>',
  wrongType: set([NAME.replace('ModelName', 'ProvisioningCode'), '1', 'int']),
  number: set(['Device.ManagementServer.PeriodicInformInterval', '300', 'unsignedInt']),
  one: set([RADIO, '1', 'boolean']),
  ssid: set(['Device.WiFi.SSID.1.SSID', 'home', 'string']),
  mode: set(['Device.WiFi.AccessPoint.1.Security.ModeEnabled', 'WPA3-Personal', 'string']),
  twoOfWan: set([`${WAN}Alias`, 'wan', 'string'], [`${WAN}IPv4Address.1.Alias`, 'v4', 'string']),
}
type Answers = Record<keyof typeof REQUESTS, CpePost>

const code = ({ body }: CpePost) => /<FaultCode>(\d+)/.exec(body)?.[1]

/** Traits by which a CPE departs from the standard, as an ACS sees them in the answers of one session. */
const TRAITS: Record<string, (answers: Answers, posts: readonly CpePost[]) => boolean> = {
  'a listed parameter cannot be read': ({ list, listed }) =>
    list.body.includes(`${HOST}HostName`) && code(listed) === '9005',
  'no object can be read': ({ object }) => code(object) === '9005',
  'no empty table can be read': ({ object, emptyTable }) => code(object) === undefined && code(emptyTable) === '9005',
  'six names are too many': ({ batch }) => code(batch) === '9002',
  'no types are sent': ({ boolean }) => boolean.body.includes('<Value>1<'),
  'strings are sent': ({ boolean }) => boolean.body.includes('xsd:string">1<'),
  'booleans are sent as true': ({ boolean }) => boolean.body.includes('xsd:boolean">true<'),
  'booleans are sent as TRUE': ({ boolean }) => boolean.body.includes('xsd:boolean">TRUE<'),
  'a radio reads as off': ({ boolean }) => boolean.body.includes('xsd:boolean">0<'),
  'a mode of encryption is refused': ({ mode }) => mode.body.includes('<FaultCode>9007<'),
  'secrets are asterisks': ({ secret }) => secret.body.includes('>****<'),
  'a Controller row is refused': ({ addRow }) => code(addRow) === '9001',
  'a wrong type is taken': ({ wrongType }) => code(wrongType) === undefined,
  'a number is refused': ({ number }) => number.body.includes('<FaultCode>9006<'),
  'the boolean 1 is refused': ({ number, one }) => code(number) === undefined && code(one) !== undefined,
  'an SSID takes effect later': ({ ssid }) => ssid.body.includes('<Status>1<'),
  'two values of the WAN are refused': ({ twoOfWan }) => code(twoOfWan) === '9003',
  'an Inform has no SOAP header': (_, posts) =>
    posts.some(
      ({ name, body }) => name === 'Inform' && !body.includes('Header') && /='urn:dslforum-org:cwmp-1-\d'/.test(body),
    ),
  'a row is read only': ({ twoOfWan }) => twoOfWan.body.includes('<FaultCode>9008<'),
  'no cookies come back': (_, posts) => posts.find(({ name }) => name === '')?.headers.cookie === undefined,
  'each request has a connection': (_, posts) => new Set(posts.map(({ from }) => from)).size === posts.length,
  'each request is asked for its login': (_, posts) =>
    posts.every(({ headers }, i) => (headers.authorization !== undefined) === (i % 2 === 1)),
}

/** The traits of each fault of a CPE; those that need time or chance have tests of their own below. */
const SHOWS: Partial<Record<Fault, string[]>> = {
  rejectsWrite: ['a Controller row is refused'],
  dropsSession: [],
  slow: [],
  fault9002: ['six names are too many'],
  cutsBatches: ['a read of the whole tree ends the session'],
  wholeTreeTimesOut: ['a read of the whole tree ends the session'],
  ghosts: ['a listed parameter cannot be read'],
  emptyTable9005: ['no empty table can be read'],
  partialPath9005: ['no object can be read', 'a read of the whole tree is a fault'],
  maskedSecrets: ['secrets are asterisks'],
  emptyTypes: ['no types are sent', 'a wrong type is taken'],
  allStrings: ['strings are sent', 'a wrong type is taken'],
  onlyStrings: ['strings are sent', 'a number is refused'],
  booleanLiterals: ['booleans are sent as true', 'the boolean 1 is refused'],
  booleanWords: ['booleans are sent as TRUE', 'the boolean 1 is refused'],
  wanOneByOne: ['two values of the WAN are refused'],
  ssidAtBoot: ['an SSID takes effect later'],
  ssidRestarts: ['the session of an SSID ends with a restart'],
  radioLies: ['a radio reads as off'],
  fixedWifiModes: ['a mode of encryption is refused'],
  routerosSoap: ['an Inform has no SOAP header'],
  dynamicRows: ['a row is read only', 'two values of the WAN are refused'],
  keyOnEvent: [],
  noCookies: ['no cookies come back'],
  newConnections: ['each request has a connection'],
  authAfter401: ['each request is asked for its login'],
  noRebootEvent: ['a commanded reboot has no M Reboot'],
}

let acs: ScriptedAcs
let made: ReturnType<typeof makeDevice> | undefined
beforeEach(async () => {
  acs = await ScriptedAcs.start()
  acs.over = ({ name, id, headers }) => {
    if (headers.authorization === undefined)
      return {
        status: 401,
        headers: { 'www-authenticate': `Digest realm="a", qop="auth", nonce="n${acs.posts.length}"` },
      }
    if (name !== 'Inform') return undefined
    const body = acs.envelope('<c:InformResponse><MaxEnvelopes>1</MaxEnvelopes></c:InformResponse>', id)
    return { headers: { 'set-cookie': 'a=1' }, body }
  }
})
afterEach(async () => {
  made?.device.stop(false)
  made = undefined
  await acs.stop()
})

/** Waits until this number of sessions is over, while the clock moves on in small steps. */
async function sessions({ device, clock }: NonNullable<typeof made>, count: number, stepMs = 60): Promise<void> {
  await until(
    () => {
      clock.advance(stepMs)
      return (device.cpe?.counters.sessions ?? 0) >= count
    },
    30_000,
    5,
  )
}

/** Returns the traits that a device with these faults shows in four sessions: requests, Reboot, boot, the whole tree. */
async function traitsOf(faults: readonly Fault[]): Promise<string[]> {
  made = makeDevice('dualStack', { acsUrl: acs.url, faults })
  const { device, clock } = made
  acs.queue.push(...Object.values(REQUESTS))
  device.start()
  await sessions(made, 1)
  const posts = [...acs.posts]
  const answered = posts.filter(
    ({ name, headers }) => headers.authorization !== undefined && /Response$|^Fault$/.test(name),
  )
  expect(answered).toHaveLength(Object.keys(REQUESTS).length)
  const answers = Object.fromEntries(Object.keys(REQUESTS).map((name, i) => [name, answered[i]])) as Answers
  const shown = Object.keys(TRAITS).filter((trait) => TRAITS[trait]?.(answers, posts))
  if (device.reboots > 0) shown.push('the session of an SSID ends with a restart')

  acs.queue.push('<c:Reboot><CommandKey>k</CommandKey></c:Reboot>')
  clock.advance(device.reboots > 0 ? 2000 : 300_000)
  await sessions(made, 2)
  clock.advance(2000)
  await sessions(made, 3)
  const boot = acs.posts.findLast(({ name }) => name === 'Inform')
  if (boot !== undefined && !eventsOf(boot).includes('M Reboot')) shown.push('a commanded reboot has no M Reboot')

  acs.posts.length = 0
  acs.queue.push(get('Device.'))
  clock.advance(300_000)
  await sessions(made, 4, 2000)
  const last = acs.posts.at(-1)
  if ((device.cpe?.counters.failedSessions ?? 0) > 0) shown.push('a read of the whole tree ends the session')
  else if (last?.name === 'Fault') shown.push('a read of the whole tree is a fault')
  else expect(Object.keys(valuesOf(last!)).length).toBeGreaterThan(200)
  return shown
}

describe('a CPE', () => {
  it('without faults shows no quirk', async () => {
    expect(await traitsOf([])).toEqual([])
  })

  it('has decorators only when it has quirks', () => {
    const ports = { model: {} as CpeModel, transport: {} as CpeTransport }
    const methods = {} as CpeMethods
    const { clock } = makeDevice('dualStack')
    const plain = withQuirks([], ports, {
      clock,
      random: { bytes: () => new Uint8Array(), fraction: () => 0 },
      restart: () => undefined,
    })
    expect(plain.model).toBe(ports.model)
    expect(plain.transport).toBe(ports.transport)
    expect(plain.methods(methods)).toBe(methods)
  })

  it('by the standard is all that src/cwmp/cpe has: it names no quirk, and no device behind its ports', () => {
    const named = readdirSync(CPE).filter((file) =>
      /quirk|timeScale|\/(tree|simulator)\//i.test(readFileSync(join(CPE, file), 'utf8')),
    )
    expect(named).toEqual([])
  })
})

describe('each fault of a CPE', () => {
  const faults = FAULTS.filter((fault) => quirksOf([fault], 'S').cpe.length > 0)

  it('has its traits in the table', () => {
    expect(Object.keys(SHOWS).sort()).toEqual([...faults].sort())
  })

  it.each(faults)('%s shows its own traits and no other', async (fault) => {
    expect((await traitsOf([fault])).sort()).toEqual([...(SHOWS[fault] ?? [])].sort())
  })

  it('adds up with others', async () => {
    expect((await traitsOf(['fault9002', 'noCookies', 'booleanWords'])).sort()).toEqual(
      [...SHOWS.fault9002!, ...SHOWS.noCookies!, ...SHOWS.booleanWords!].sort(),
    )
  })
})

describe('a quirk of time or chance', () => {
  const clock = createManualClock()
  const draws: number[] = []
  const device = {
    model: {} as CpeModel,
    clock,
    random: { bytes: () => new Uint8Array(), fraction: () => draws.shift() ?? 0.5 },
    restart: () => undefined,
  }
  const request = { url: new URL('http://127.0.0.1/'), headers: {}, body: '' }

  /** A transport that counts what reaches it. */
  function counted(): { inner: CpeTransport; log: string[] } {
    const log: string[] = []
    const inner: CpeTransport = {
      send: async ({ headers }) => {
        log.push(`send ${JSON.stringify(headers)}`)
        return { status: 204, headers: {}, body: Buffer.alloc(0) }
      },
      end: () => void log.push('end'),
      abort: () => void log.push('abort'),
    }
    return { inner, log }
  }

  it('slow: each request leaves later, or not at all when the power goes', async () => {
    const { inner, log } = counted()
    const transport = slow(60).transport!(inner, device)
    const sent = transport.send(request)
    clock.advance(59)
    await Promise.resolve()
    expect(log).toEqual([])
    clock.advance(1)
    await sent
    const cut = transport.send(request)
    transport.abort()
    await expect(cut).rejects.toThrow('the CPE is off')
    expect(log).toEqual(['send {}', 'abort'])
  })

  it('dropsSession: a request breaks by chance after some of its session', async () => {
    const { inner, log } = counted()
    const transport = dropsSessions(1).transport!(inner, device)
    draws.push(0.9, 0.05)
    for (let i = 0; i < 2; i++) await transport.send(request)
    await expect(transport.send(request)).rejects.toThrow('dropped')
    transport.end()
    draws.push(0)
    await transport.send(request)
    expect(log).toEqual(['send {}', 'send {}', 'end', 'send {}'])
  })

  it('newConnections: nothing else of a request changes', async () => {
    const { inner, log } = counted()
    await newConnections.transport!(inner, device).send({ ...request, headers: { cookie: 'a=1' } })
    expect(log).toEqual(['send {"cookie":"a=1","connection":"close"}'])
  })

  it('wholeTreeTimesOut: the session ends without an answer, after a while', async () => {
    const [quirk] = quirksOf(['wholeTreeTimesOut'], 'S').cpe
    const inner: CpeMethods = {
      answer: () => Promise.reject(new Error('it was asked')),
      inform: () => {
        throw new Error('no Inform')
      },
    }
    const methods = quirk!.methods!(inner, device)
    const read = (name: string) =>
      methods.answer({ kind: 'request', name: 'GetParameterValues', body: { ParameterNames: [name] } })
    await expect(read('Device.Hosts.')).rejects.toThrow('it was asked')
    let ended = false
    const whole = read('Device.').catch((error: unknown) => {
      ended = true
      return error
    })
    clock.advance(30_000)
    await Promise.resolve()
    expect(ended).toBe(false)
    clock.advance(60_000)
    expect(await whole).toBeInstanceOf(NoAnswer)
  })
})
