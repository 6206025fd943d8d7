import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FileServer, startFileServer } from '../../support/file-server.ts'
import { eventsOf, ScriptedAcs, valuesOf } from '../../support/scripted-acs.ts'
import { makeDevice } from '../../support/simulated-device.ts'
import { untilPasses } from '../../support/until.ts'

type Made = ReturnType<typeof makeDevice>
const MS = 'Device.ManagementServer.'
const value = (name: string, text: string, type = 'd:string') =>
  `<ParameterValueStruct><Name>${name}</Name><Value i:type="${type}">${text}</Value></ParameterValueStruct>`
const set = (...values: string[]) =>
  `<c:SetParameterValues><ParameterList>${values.join('')}</ParameterList><ParameterKey>pk</ParameterKey></c:SetParameterValues>`
const notify = (name: string, notification: number) =>
  `<c:SetParameterAttributes><ParameterList><SetParameterAttributesStruct><Name>${name}</Name><NotificationChange>1</NotificationChange><Notification>${notification}</Notification><AccessListChange>0</AccessListChange><AccessList/></SetParameterAttributesStruct></ParameterList></c:SetParameterAttributes>`
const scheduleInform = (delay: number, key: string) =>
  `<c:ScheduleInform><DelaySeconds>${delay}</DelaySeconds><CommandKey>${key}</CommandKey></c:ScheduleInform>`
const download = (url: string, key: string, delay = 0, type = '1 Firmware Upgrade Image') =>
  `<c:Download><CommandKey>${key}</CommandKey><FileType>${type}</FileType><URL>${url}</URL><Username>u</Username><Password>p</Password><FileSize>0</FileSize><TargetFileName/><DelaySeconds>${delay}</DelaySeconds><SuccessURL/><FailureURL/></c:Download>`

let acs: ScriptedAcs
let made: Made | undefined
let files: FileServer | undefined
beforeEach(async () => {
  acs = await ScriptedAcs.start()
})
afterEach(async () => {
  made?.device.stop(false)
  made = undefined
  await files?.stop()
  files = undefined
  await acs.stop()
})

const sessions = ({ device: { cpe } }: Made) => cpe?.counters.sessions ?? 0
const ended = (it: Made, n: number) => untilPasses(() => expect(sessions(it)).toBeGreaterThanOrEqual(n))

/** The device after its first session, in which the ACS asked this. */
async function first(
  queue: string[] = [],
  options: Parameters<typeof makeDevice>[1] = {},
  kind: Parameters<typeof makeDevice>[0] = 'tr181NoAgent',
): Promise<Made> {
  acs.queue.push(...queue)
  made = makeDevice(kind, { acsUrl: acs.url, ...options })
  made.device.start()
  await ended(made, 1)
  return made
}

/** Another session of its own accord, in which the ACS asks this. */
async function session(it: Made, ...queue: string[]): Promise<void> {
  acs.queue.push(...queue)
  const before = sessions(it)
  it.clock.advance(300_000)
  await ended(it, before + 1)
}
const informs = () => acs.posts.filter(({ name }) => name === 'Inform')
const lastInform = () => informs().at(-1)!

describe('events of a CPE (TR-069 3.7.1.5)', () => {
  it('2 PERIODIC comes by its interval, whatever happens in between', async () => {
    const it = await first()
    it.clock.advance(200_000)
    it.device.tree.put('Device.DeviceInfo.ProvisioningCode', 'x', 'user')
    await ended(it, 2)
    it.clock.advance(100_000)
    await ended(it, 3)
    expect(informs().map(eventsOf).slice(1)).toEqual([['4 VALUE CHANGE'], ['2 PERIODIC']])
  })

  it('2 PERIODIC keeps to PeriodicInformTime', async () => {
    // The clock stands at 2023-11-14T22:13:20Z.
    const it = await first([
      set(
        value(`${MS}PeriodicInformTime`, '2023-01-01T00:00:00Z', 'd:dateTime'),
        value(`${MS}PeriodicInformInterval`, '3600', 'd:unsignedInt'),
      ),
    ])
    it.clock.advance(2_799_000)
    expect(sessions(it)).toBe(1)
    it.clock.advance(1000)
    await ended(it, 2)
    expect(lastInform().body).toContain('<CurrentTime>2023-11-14T23:00:00Z</CurrentTime>')
  })

  it('3 SCHEDULED comes with M ScheduleInform, once per command, and outlasts sessions', async () => {
    const it = await first([scheduleInform(400, 'k1'), scheduleInform(500, 'k2')])
    await session(it)
    it.clock.advance(100_000)
    await ended(it, 3)
    expect(eventsOf(lastInform())).toEqual(['3 SCHEDULED', 'M ScheduleInform'])
    expect(lastInform().body).toContain('<EventCode>M ScheduleInform</EventCode><CommandKey>k1</CommandKey>')
    it.clock.advance(100_000)
    await ended(it, 4)
    expect(lastInform().body).toContain('<CommandKey>k2</CommandKey>')
  })

  it('ScheduleInform after no time is 9003', async () => {
    await first([scheduleInform(0, 'k')])
    expect(acs.posts[2]?.body).toContain('<FaultCode>9003</FaultCode>')
  })

  it('M Reboot comes with its key after the boot, and the answer before it', async () => {
    const it = await first(['<c:Reboot><CommandKey>why</CommandKey></c:Reboot>'])
    expect(acs.posts[2]?.name).toBe('RebootResponse')
    it.clock.advance(2000)
    await ended(it, 2)
    expect(eventsOf(lastInform()).sort()).toEqual(['1 BOOT', 'M Reboot'])
    expect(lastInform().body).toContain('<EventCode>M Reboot</EventCode><CommandKey>why</CommandKey>')
  })

  it('0 BOOTSTRAP after a factory reset drops what else was due, gives settings back and no instance number again', async () => {
    const add = '<c:AddObject><ObjectName>Device.NAT.PortMapping.</ObjectName><ParameterKey/></c:AddObject>'
    const it = await first([add, set(value(`${MS}Password`, 'own')), notify('Device.WiFi.SSID.1.SSID', 2)])
    await session(it, scheduleInform(9, 'k'), '<c:FactoryReset/>')
    it.clock.advance(2000)
    await ended(it, 3)
    expect(eventsOf(lastInform())).toEqual(['0 BOOTSTRAP', '1 BOOT'])
    expect(it.device.tree.raw(`${MS}Password`)).toBe('secret')
    it.device.tree.put('Device.WiFi.SSID.1.SSID', 'mine', 'user')
    await session(it, add)
    expect(eventsOf(lastInform())).toEqual(['2 PERIODIC'])
    expect(acs.posts.at(-1)?.body).toContain('<InstanceNumber>2</InstanceNumber>')
  })

  it('0 BOOTSTRAP goes to another ACS when the URL is changed, after the session', async () => {
    const other = await ScriptedAcs.start()
    const it = await first([set(value(`${MS}URL`, other.url))])
    it.clock.advance(10)
    await other.post('Inform')
    expect(acs.count('Inform')).toBe(1)
    expect(eventsOf(other.posts[0]!)).toEqual(['0 BOOTSTRAP'])
    await other.stop()
  })

  it('6 CONNECTION REQUEST is not told again after a failed session; what else was due is', async () => {
    const it = await first()
    acs.over = () => ({ status: 500 })
    const { status } = await connect(it)
    expect(status).toBe(200)
    await ended(it, 2)
    expect(eventsOf(lastInform())).toEqual(['6 CONNECTION REQUEST'])
    acs.over = () => undefined
    it.clock.advance(10_000)
    await ended(it, 3)
    expect(eventsOf(lastInform())).toEqual([])
  })
})

describe('notifications of a CPE (TR-069 A.3.2.4)', () => {
  const SSID = 'Device.WiFi.SSID.1.SSID'

  it('active ones begin a session with the value; passive ones wait for the next', async () => {
    const it = await first([notify(SSID, 2), notify('Device.WiFi.Radio.1.Channel', 1)])
    it.device.tree.put('Device.WiFi.Radio.1.Channel', '44', 'user')
    expect(sessions(it)).toBe(1)
    it.device.tree.put(SSID, 'mine', 'user')
    await ended(it, 2)
    expect(eventsOf(lastInform())).toEqual(['4 VALUE CHANGE'])
    expect(valuesOf(lastInform())).toMatchObject({ [SSID]: 'mine', 'Device.WiFi.Radio.1.Channel': '44' })
    await session(it)
    expect(Object.keys(valuesOf(lastInform()))).not.toContain(SSID)
  })

  it('are not for what the ACS set itself', async () => {
    const it = await first([notify(SSID, 2), set(value(SSID, 'theirs'))])
    await session(it)
    expect(eventsOf(lastInform())).toEqual(['2 PERIODIC'])
  })

  it('that are forced cannot be switched off', async () => {
    const it = await first([notify('Device.DeviceInfo.ProvisioningCode', 0)])
    it.device.tree.put('Device.DeviceInfo.ProvisioningCode', 'x', 'user')
    await ended(it, 2)
    expect(eventsOf(lastInform())).toEqual(['4 VALUE CHANGE'])
  })

  it('outlive a reboot, but what changed before it is not told after it', async () => {
    const it = await first([notify(SSID, 1)])
    it.device.tree.put(SSID, 'before', 'user')
    it.device.powerLoss()
    it.clock.advance(1000)
    await ended(it, 2)
    expect(eventsOf(lastInform())).toEqual(['1 BOOT'])
    it.device.tree.put(SSID, 'after', 'user')
    await session(it)
    expect(eventsOf(lastInform()).sort()).toEqual(['2 PERIODIC', '4 VALUE CHANGE'])
  })

  it('are all set or none', async () => {
    const both = notify(SSID, 2).replace(
      '</ParameterList>',
      `${notify('Device.Nope', 2).replace(/.*<ParameterList>|<\/ParameterList>.*/g, '')}</ParameterList>`,
    )
    const it = await first([both])
    expect(acs.posts[2]?.body).toContain('<FaultCode>9005</FaultCode>')
    it.device.tree.put(SSID, 'mine', 'user')
    await session(it)
    expect(eventsOf(lastInform())).toEqual(['2 PERIODIC'])
  })

  it('come no more often than the throttle', async () => {
    const it = await first([set(value(`${MS}DefaultActiveNotificationThrottle`, '60', 'd:unsignedInt'))])
    for (const text of ['a', 'b', 'c']) it.device.tree.put('Device.DeviceInfo.ProvisioningCode', text, 'user')
    await ended(it, 2)
    it.device.tree.put('Device.DeviceInfo.ProvisioningCode', 'd', 'user')
    it.clock.advance(59_000)
    expect(sessions(it)).toBe(2)
    it.clock.advance(1000)
    await ended(it, 3)
    expect(valuesOf(lastInform())['Device.DeviceInfo.ProvisioningCode']).toBe('d')
  })
})

describe('a download (TR-069 A.3.2.8)', () => {
  it('of firmware is fetched with its credentials, runs after a boot, and is told after it', async () => {
    files = await startFileServer({ 'fw-2.1.bin': Buffer.alloc(9) }, { challenge: 'Basic realm="files"' })
    const it = await first([download(files.url('fw-2.1.bin'), 'dl', 5)])
    expect(acs.posts[2]?.body).toContain('<Status>1</Status>')
    expect(files.asked).toHaveLength(0)
    it.clock.advance(5000)
    await untilPasses(() => expect(it.device.reboots).toBe(1))
    expect(files.asked.map(({ authorization }) => authorization)).toEqual([
      undefined,
      `Basic ${Buffer.from('u:p').toString('base64')}`,
    ])
    expect(acs.count('TransferComplete')).toBe(0)
    it.clock.advance(2000)
    await ended(it, 2)
    expect(eventsOf(lastInform()).sort()).toEqual(['1 BOOT', '4 VALUE CHANGE', '7 TRANSFER COMPLETE', 'M Download'])
    expect(valuesOf(lastInform())['Device.DeviceInfo.SoftwareVersion']).toBe('2.1')
    const told = await acs.post('TransferComplete')
    expect(told.body).toMatch(/<CommandKey>dl<\/CommandKey><FaultStruct><FaultCode>0</)
    expect(it.device.tree.raw('Device.DeviceInfo.ActiveFirmwareImage')).toBe('Device.DeviceInfo.FirmwareImage.2')
    await session(it)
    expect(acs.count('TransferComplete')).toBe(1)
    expect(eventsOf(lastInform())).toEqual(['2 PERIODIC'])
  })

  it.each([
    ['is not there', 9016, () => files!.url('none')],
    ['nobody serves', 9015, () => 'http://127.0.0.1:9/fw'],
  ])('of what %s is told with %i, without a boot', async (_name, code, url) => {
    files = await startFileServer({})
    const it = await first([download(url(), 'dl', 5)])
    it.clock.advance(5000)
    await ended(it, 2)
    expect((await acs.post('TransferComplete')).body).toContain(`<FaultCode>${code}</FaultCode>`)
    expect(it.device.reboots).toBe(0)
  })

  it('that the device cannot do is refused', async () => {
    await first([
      download('ftp://files/fw', 'a'),
      download('http://files/fw', 'b', 0, '4 Tone File'),
      download('none', 'c'),
    ])
    expect(acs.posts.slice(2).map(({ body }) => /<FaultCode>(\d+)/.exec(body)?.[1])).toEqual(['9013', '9003', '9003'])
  })

  it('is told until it is confirmed, without haste, and over a power cut', async () => {
    const it = await first([download('http://127.0.0.1:9/x', 'dl', 5)])
    acs.over = ({ name, id }) =>
      name === 'TransferComplete'
        ? {
            body: acs.envelope(
              '<e:Fault><faultcode>Server</faultcode><faultstring>CWMP fault</faultstring><detail><c:Fault><FaultCode>8002</FaultCode><FaultString/></c:Fault></detail></e:Fault>',
              id,
            ),
          }
        : undefined
    it.clock.advance(5000)
    await ended(it, 2)
    expect(it.device.cpe?.counters.failedSessions).toBe(0)
    it.clock.advance(60_000)
    expect(sessions(it)).toBe(2)
    acs.over = () => undefined
    it.device.powerLoss()
    it.clock.advance(1000)
    await ended(it, 3)
    expect(eventsOf(lastInform()).sort()).toEqual(['1 BOOT', '7 TRANSFER COMPLETE', 'M Download'])
    expect(acs.count('TransferComplete')).toBe(2)
  })

  it('begins anew when the power goes before it ends', async () => {
    files = await startFileServer({ 'fw-2.1.bin': Buffer.alloc(9) })
    const it = await first([download(files.url('fw-2.1.bin'), 'dl', 60)])
    it.device.powerLoss()
    it.clock.advance(1000)
    await ended(it, 2)
    it.clock.advance(60_000)
    await untilPasses(() => expect(it.device.reboots).toBe(2))
    expect(files.asked).toHaveLength(1)
  })
})

describe('a download with a delay', () => {
  it('waits for the rest of it in a process with another clock', async () => {
    files = await startFileServer({ 'fw-2.1.bin': Buffer.alloc(9) })
    const killed = await first([download(files.url('fw-2.1.bin'), 'dl', 60)])
    killed.clock.advance(20_000)
    const state = killed.device.saveState()
    killed.device.stop(false)
    made = makeDevice('tr181NoAgent', { acsUrl: acs.url })
    made.device.loadState(state)
    made.device.start()
    await ended(made, 1)
    made.clock.advance(39_000)
    expect(made.device.cpe?.saveState().transfers).toMatchObject([{ commandKey: 'dl', waitMs: 1000 }])
    made.clock.advance(1000)
    await untilPasses(() => expect(made?.device.reboots).toBe(1))
  })

  it('that was saved by version 0.1.0, with the time of its start, is due', async () => {
    files = await startFileServer({ 'fw-2.1.bin': Buffer.alloc(9) })
    const killed = await first([download(files.url('fw-2.1.bin'), 'dl', 60)])
    const { cpe, ...state } = killed.device.saveState()
    killed.device.stop(false)
    const transfers = cpe!.transfers.map(({ waitMs, ...transfer }) => ({ ...transfer, dueAt: 1_700_000_060_000 }))
    made = makeDevice('tr181NoAgent', { acsUrl: acs.url })
    made.device.loadState({ ...state, cpe: { ...cpe!, transfers } })
    made.device.start()
    await untilPasses(() => expect(made?.device.reboots).toBe(1))
  })
})

describe('a time scale', () => {
  it('makes the waits of a CPE shorter, and leaves the times that the ACS reads', async () => {
    const it = await first([], { timeScale: 10 })
    it.clock.advance(29_999)
    expect(sessions(it)).toBe(1)
    it.clock.advance(1)
    await ended(it, 2)
    expect(eventsOf(lastInform())).toEqual(['2 PERIODIC'])
    expect(lastInform().body).toContain('<CurrentTime>2023-11-14T22:13:50Z</CurrentTime>')
  })
})

describe('CWMP switched off', () => {
  it('ends after the session that did it, listens no more, and begins again when it is switched on', async () => {
    const it = await first([set(value(`${MS}EnableCWMP`, '0', 'd:boolean'))])
    expect(acs.posts.map(({ name }) => name)).toEqual(['Inform', '', 'SetParameterValuesResponse'])
    it.clock.advance(900_000)
    expect(sessions(it)).toBe(1)
    await expect(connect(it)).rejects.toThrow('ECONNREFUSED')
    it.device.tree.put(`${MS}EnableCWMP`, 'true', 'user')
    await ended(it, 2)
  })
})

describe('the listener for connection requests (TR-069 3.2.2)', () => {
  it('takes a request with the credentials of the device, each proof once', async () => {
    const it = await first()
    expect((await connect(it)).status).toBe(200)
    const header = await proof(it)
    expect((await ask(it, header)).statusCode).toBe(200)
    expect((await ask(it, header)).statusCode).toBe(401)
  })

  it('serves two that ask at the same time', async () => {
    const it = await first()
    const headers = [await proof(it), await proof(it)]
    expect([(await ask(it, headers[0]!)).statusCode, (await ask(it, headers[1]!)).statusCode]).toEqual([200, 200])
  })

  it('forgets a nonce after some time', async () => {
    const it = await first()
    const header = await proof(it)
    it.clock.advance(61_000)
    expect((await ask(it, header)).statusCode).toBe(401)
  })

  it.each([
    ['another path', '/nope', 404],
    ['another password', undefined, 401],
  ])('refuses %s', async (_name, path, status) => {
    const it = await first()
    const header = await proof(it, 'wrong')
    expect((await ask(it, header, path)).statusCode).toBe(status)
  })

  it('answers 503 when it is asked too often, and when HTTP connection requests are switched off', async () => {
    const it = await first()
    it.device.tree.put(`${MS}HTTPConnectionRequestEnable`, 'false')
    expect((await connect(it)).status).toBe(503)
    it.device.tree.put(`${MS}HTTPConnectionRequestEnable`, 'true')
    const statuses = new Set<number>()
    for (let i = 0; i < 70; i++) statuses.add((await connect(it)).status)
    expect([...statuses]).toEqual([200, 503])
    it.clock.advance(61_000)
    expect((await connect(it)).status).toBe(200)
  })

  it('gives one more session for all that came during one', async () => {
    const it = await first()
    let held: (() => void) | undefined
    acs.over = ({ name }) => {
      if (name === 'Inform') void Promise.all([connect(it), connect(it)]).then(() => held?.())
      return undefined
    }
    const both = new Promise<void>((resolve) => {
      held = resolve
    })
    it.clock.advance(300_000)
    await both
    acs.over = () => undefined
    await ended(it, 2)
    it.clock.advance(10)
    await ended(it, 3)
    it.clock.advance(1000)
    expect(sessions(it)).toBe(3)
    expect(eventsOf(lastInform())).toEqual(['6 CONNECTION REQUEST'])
  })

  it('keeps its address over reboots', async () => {
    const it = await first()
    const url = it.device.tree.raw(`${MS}ConnectionRequestURL`)
    it.device.powerLoss()
    it.clock.advance(1000)
    await ended(it, 2)
    expect(it.device.tree.raw(`${MS}ConnectionRequestURL`)).toBe(url)
    expect(eventsOf(lastInform())).toEqual(['1 BOOT'])
  })
})

const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const urlOf = (it: Made) => new URL(it.device.tree.raw(`${MS}ConnectionRequestURL`) ?? '')

async function ask(it: Made, authorization?: string, path = urlOf(it).pathname) {
  const outgoing = request(new URL(path, urlOf(it)), {
    agent: false,
    headers: authorization === undefined ? {} : { authorization },
  })
  outgoing.end()
  const [incoming] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage]
  incoming.resume()
  return incoming
}

/** The answer to a challenge, after RFC 2617. */
async function proof(it: Made, password = ''): Promise<string> {
  const challenge = (await ask(it)).headers['www-authenticate'] ?? ''
  const nonce = /nonce="([^"]*)"/.exec(challenge)?.[1] ?? ''
  const realm = /realm="([^"]*)"/.exec(challenge)?.[1] ?? ''
  const uri = urlOf(it).pathname
  const response = md5(`${md5(`:${realm}:${password}`)}:${nonce}:00000001:c:auth:${md5(`GET:${uri}`)}`)
  return `Digest username="", realm="${realm}", nonce="${nonce}", uri="${uri}", qop=auth, nc=00000001, cnonce="c", response="${response}"`
}

async function connect(it: Made): Promise<{ status: number }> {
  return { status: (await ask(it, await proof(it))).statusCode ?? 0 }
}
