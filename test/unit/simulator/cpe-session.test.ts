import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { envelope, eventsOf, ScriptedAcs, valuesOf } from '../../support/scripted-acs.ts'
import { makeDevice } from '../../support/simulated-device.ts'
import { untilPasses } from '../../support/until.ts'

const GET_METHODS = '<c:GetRPCMethods/>'
const download = (url: string, key = 'k1') =>
  `<c:Download><CommandKey>${key}</CommandKey><FileType>3 Vendor Configuration File</FileType><URL>${url}</URL><Username/><Password/><FileSize>0</FileSize><TargetFileName/><DelaySeconds>10</DelaySeconds><SuccessURL/><FailureURL/></c:Download>`

let acs: ScriptedAcs
let made: ReturnType<typeof makeDevice> | undefined
beforeEach(async () => {
  acs = await ScriptedAcs.start()
})
afterEach(async () => {
  made?.device.stop(false)
  made = undefined
  await acs.stop()
})

function device(
  options: Parameters<typeof makeDevice>[1] = {},
  kind: Parameters<typeof makeDevice>[0] = 'tr181NoAgent',
) {
  made = makeDevice(kind, { acsUrl: acs.url, ...options })
  return made
}

/** Starts and waits until the first session is over. */
async function first(options: Parameters<typeof makeDevice>[1] = {}): Promise<NonNullable<typeof made>> {
  const it = device(options)
  it.device.start()
  await ended(it)
  return it
}

function ended({ device: { cpe } }: NonNullable<typeof made>, sessions = 1): Promise<void> {
  return untilPasses(() => expect(cpe?.counters.sessions).toBeGreaterThanOrEqual(sessions))
}

describe('the session of a CPE (TR-069 3.7)', () => {
  it('is Inform, empty POST, and the requests of the ACS until its empty answer', async () => {
    acs.queue.push(
      GET_METHODS,
      '<c:GetParameterValues><ParameterNames><string>Device.DeviceInfo.ModelName</string></ParameterNames></c:GetParameterValues>',
    )
    await first()
    expect(acs.posts.map(({ name }) => name)).toEqual([
      'Inform',
      '',
      'GetRPCMethodsResponse',
      'GetParameterValuesResponse',
    ])
    expect(acs.posts.slice(2).map(({ id }) => id)).toEqual(['acs1', 'acs2'])
    expect(valuesOf(acs.posts[3]!)).toEqual({ 'Device.DeviceInfo.ModelName': 'H1' })
    expect(eventsOf(acs.posts[0]!)).toEqual(['0 BOOTSTRAP', '1 BOOT'])
  })

  it('goes over one TCP connection, and the next session over another', async () => {
    acs.queue.push(GET_METHODS)
    const it = await first()
    expect(new Set(acs.posts.map(({ from }) => from)).size).toBe(1)
    it.clock.advance(300_000)
    await ended(it, 2)
    expect(new Set(acs.posts.map(({ from }) => from)).size).toBe(2)
  })

  it('returns every cookie it was given, and forgets them at its end', async () => {
    acs.over = ({ name, id }) =>
      name === 'Inform'
        ? {
            headers: { 'set-cookie': ['a=1; Path=/; HttpOnly', 'b="2"; Max-Age=60'] },
            body: acs.envelope('<c:InformResponse><MaxEnvelopes>1</MaxEnvelopes></c:InformResponse>', id),
          }
        : undefined
    const it = await first()
    expect(acs.posts.map(({ headers }) => headers.cookie)).toEqual([undefined, 'a=1; b="2"'])
    it.clock.advance(300_000)
    await ended(it, 2)
    expect(acs.posts[2]?.headers.cookie).toBeUndefined()
  })

  it.each([302, 307])('follows a %i, for the session only', async (status) => {
    acs.over = ({ path }) => (path === '/acs' ? { status, headers: { location: '/other' } } : undefined)
    const it = await first()
    expect(acs.posts.map(({ path, name }) => `${path} ${name}`)).toEqual(['/acs Inform', '/other Inform', '/other '])
    it.clock.advance(300_000)
    await ended(it, 2)
    expect(acs.posts[3]?.path).toBe('/acs')
  })

  it('gives up after five redirects in a row', async () => {
    acs.over = () => ({ status: 307, headers: { location: '/acs' } })
    const { device: one } = await first()
    expect(one.cpe?.counters.failedSessions).toBe(1)
    expect(acs.posts).toHaveLength(6)
  })

  it('answers a method it does not have with 9000, and goes on', async () => {
    acs.queue.push('<c:X_Dance/>', '<c:Upload/>', GET_METHODS)
    await first()
    expect(acs.posts.slice(2).map(({ name, body }) => [name, /<FaultCode>(\d+)/.exec(body)?.[1]])).toEqual([
      ['Fault', '9000'],
      ['Fault', '9000'],
      ['GetRPCMethodsResponse', undefined],
    ])
  })

  it('answers arguments that are none with 9003, and goes on', async () => {
    acs.queue.push(
      '<c:GetParameterNames><ParameterPath>Device.</ParameterPath><NextLevel>maybe</NextLevel></c:GetParameterNames>',
      GET_METHODS,
    )
    await first()
    expect(acs.posts[2]?.body).toContain('<FaultCode>9003</FaultCode>')
    expect(acs.posts[3]?.name).toBe('GetRPCMethodsResponse')
  })

  it('asks the same again when the ACS says 8005, and fails on any other fault to the Inform', async () => {
    const fault = (code: number) =>
      `<e:Fault><faultcode>Server</faultcode><faultstring>CWMP fault</faultstring><detail><c:Fault><FaultCode>${code}</FaultCode><FaultString>no</FaultString></c:Fault></detail></e:Fault>`
    acs.over = ({ id }) => (acs.posts.length === 1 ? { body: acs.envelope(fault(8005), id) } : undefined)
    const it = await first()
    expect(acs.posts.map(({ name }) => name)).toEqual(['Inform', 'Inform', ''])
    expect(it.device.cpe?.counters.failedSessions).toBe(0)
    acs.over = ({ id }) => ({ body: acs.envelope(fault(8002), id) })
    it.clock.advance(300_000)
    await ended(it, 2)
    expect(it.device.cpe?.counters.failedSessions).toBe(1)
  })

  it('keeps its own requests back while HoldRequests is true, and tells them when it is not', async () => {
    const it = await first()
    acs.queue.push(download('http://127.0.0.1:9/none'))
    it.clock.advance(300_000)
    await ended(it, 2)
    acs.queue.push(GET_METHODS)
    acs.nextHeaders.push('<c:HoldRequests e:mustUnderstand="1">1</c:HoldRequests>')
    acs.posts.length = 0
    // The file cannot be had, so there is a TransferComplete to tell.
    it.clock.advance(10_000)
    await ended(it, 3)
    expect(acs.posts.map(({ name }) => name)).toEqual(['Inform', '', 'GetRPCMethodsResponse', 'TransferComplete', ''])
  })

  it.each([
    ['another ID', '<c:InformResponse><MaxEnvelopes>1</MaxEnvelopes></c:InformResponse>', 'other'],
    ['a request', GET_METHODS, 'x'],
  ])('fails when the Inform is answered with %s', async (_name, inner, id) => {
    acs.over = () => ({ body: envelope(inner, { id }) })
    const { device: one } = await first()
    expect(one.cpe?.counters.failedSessions).toBe(1)
  })
})

describe('versions of CWMP', () => {
  it.each([
    ['1.0', 'urn:dslforum-org:cwmp-1-0', undefined, false],
    ['1.1', 'urn:dslforum-org:cwmp-1-1', undefined, false],
    ['1.2', 'urn:dslforum-org:cwmp-1-2', undefined, false],
    ['1.3', 'urn:dslforum-org:cwmp-1-2', undefined, true],
    ['1.4', 'urn:dslforum-org:cwmp-1-2', '1.0,1.1,1.2,1.3,1.4', true],
  ] as const)('%s shows in the Inform', async (cwmpVersion, urn, list, timeout) => {
    await first({ cwmpVersion })
    const body = acs.posts[0]?.body ?? ''
    expect(body).toContain(`xmlns:cwmp="${urn}"`)
    expect(/SupportedCWMPVersions[^>]*>([^<]*)</.exec(body)?.[1]).toBe(list)
    expect(body.includes('SessionTimeout')).toBe(timeout)
  })

  it('the one the ACS chooses is used from there on', async () => {
    acs.nextHeaders.push('<c:UseCWMPVersion e:mustUnderstand="1">1.1</c:UseCWMPVersion>')
    acs.urn = 'urn:dslforum-org:cwmp-1-2'
    acs.queue.push(GET_METHODS)
    await first({ cwmpVersion: '1.4' })
    expect(acs.posts[2]?.body).toContain('xmlns:cwmp="urn:dslforum-org:cwmp-1-1"')
  })

  it.each([
    [
      'UseCWMPVersion to a CPE that did not offer any',
      '1.2',
      '<c:UseCWMPVersion e:mustUnderstand="1">1.2</c:UseCWMPVersion>',
      'urn:dslforum-org:cwmp-1-2',
    ],
    [
      'a choice that was not offered',
      '1.4',
      '<c:UseCWMPVersion e:mustUnderstand="1">1.7</c:UseCWMPVersion>',
      'urn:dslforum-org:cwmp-1-2',
    ],
    ['a namespace above its own', '1.0', '', 'urn:dslforum-org:cwmp-1-2'],
  ] as const)('%s ends the session', async (_name, cwmpVersion, header, urn) => {
    acs.urn = urn
    if (header !== '') acs.nextHeaders.push(header)
    const { device: one } = await first({ cwmpVersion })
    expect(one.cpe?.counters.failedSessions).toBe(1)
  })
})

describe('the next session (TR-069 3.2.1.1)', () => {
  it('comes after a wait that grows with every failure, counted in the Inform, and not before', async () => {
    acs.over = () => ({ status: 503, headers: { 'retry-after': '1' } })
    const it = await first()
    for (const [n, wait] of [7500, 15_000, 30_000].entries()) {
      it.clock.advance(wait - 100)
      expect(acs.count('Inform')).toBe(n + 1)
      it.clock.advance(200)
      await ended(it, n + 2)
      expect(acs.posts[n + 1]?.body).toContain(`<RetryCount>${n + 1}</RetryCount>`)
    }
    expect(eventsOf(acs.posts[3]!)).toEqual(['0 BOOTSTRAP', '1 BOOT'])
  })

  it('uses the intervals the ACS has set, and begins anew after a success', async () => {
    acs.over = () => ({ status: 500 })
    const { device: one, clock } = device()
    one.tree.put('Device.ManagementServer.CWMPRetryMinimumWaitInterval', '100')
    one.tree.put('Device.ManagementServer.CWMPRetryIntervalMultiplier', '1000')
    one.start()
    await ended(made!)
    acs.over = () => undefined
    clock.advance(100_500)
    await ended(made!, 2)
    expect(acs.posts[1]?.body).toContain('<RetryCount>1</RetryCount>')
    clock.advance(300_000)
    await ended(made!, 3)
    expect(acs.posts.at(-2)?.body).toContain('<RetryCount>0</RetryCount>')
  })

  it('comes also when the session was cut after the events were delivered', async () => {
    acs.queue.push(GET_METHODS)
    acs.over = ({ name }) => (name === 'GetRPCMethodsResponse' ? { status: 500 } : undefined)
    const it = await first()
    acs.over = () => undefined
    it.clock.advance(7600)
    await ended(it, 2)
    expect(eventsOf(acs.posts[3]!)).toEqual([])
    expect(acs.posts[3]?.body).toContain('<RetryCount>1</RetryCount>')
  })

  it('comes at once with a new event', async () => {
    acs.over = () => ({ status: 500 })
    const it = await first()
    acs.over = () => undefined
    it.device.tree.put('Device.DeviceInfo.ProvisioningCode', 'new', 'user')
    await ended(it, 2)
    expect(eventsOf(acs.posts[1]!)).toContain('4 VALUE CHANGE')
  })

  it('comes at once after a boot, counted from nothing', async () => {
    acs.over = () => ({ status: 500 })
    const it = await first()
    it.device.powerLoss()
    it.clock.advance(1000)
    await ended(it, 2)
    expect(acs.posts[1]?.body).toContain('<RetryCount>0</RetryCount>')
  })
})
