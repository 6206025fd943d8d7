import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type {
  DeviceId,
  DeviceStore,
  Operation,
  OperationRequest,
  Operations,
  ParameterStore,
  Protocol,
} from '../../src/domain/index.ts'
import { operationProblems } from '../support/api-description.ts'
import { startFileServer } from '../support/file-server.ts'
import { until } from '../support/until.ts'

/** A device behind its wire. The suite reads it without any protocol. */
export interface ContractDevice {
  /** Returns the value in the device itself; undefined when there is no such parameter. */
  value(path: string): string | undefined
  /** Returns the rows of a table in the device itself. */
  rows(table: string): string[]
  /** Changes a value as the device itself does. */
  change(path: string, value: string): void
  /**
   * The plug is pulled right after the next effect on this path, before its answer leaves; it starts again by itself.
   */
  losePowerAfter(path: string): void
  /** Number of its starts since the suite began. */
  boots(): number
}

/** All parts between a request and a device: engine, driver, wire, simulated device. */
export interface ContractSubject {
  operations: Operations
  devices: DeviceStore
  parameters: ParameterStore
  deviceId: DeviceId
  protocol: Protocol
  device: ContractDevice
  stop(): Promise<void>
}

/** Differences of a kind of device that are its own, and no matter of the driver. */
export interface ContractTraits {
  /** Values that a row of Device.NAT.PortMapping. needs beside its port and description. */
  rowValues?: Record<string, string>
  /** A host that answers its pings; default 192.0.2.1. */
  host?: string
  /** Channels of Device.WiFi.Radio.1 that differ from each other and from its own. */
  channels?: readonly [string, string]
  /** A write that is cut off is undone by the device: its answer is late, and never lost. */
  undoesCutWrites?: true
  /** Firmware and factory reset need more than a request, and have suites of their own. */
  guardsItself?: true
}

const SSID = 'Device.WiFi.SSID.1.SSID'
const CHANNEL = 'Device.WiFi.Radio.1.Channel'
const ENABLE = 'Device.WiFi.Radio.1.Enable'
const UPTIME = 'Device.DeviceInfo.UpTime'
const VERSION = 'Device.DeviceInfo.SoftwareVersion'
const SECRET = 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase'
const TABLE = 'Device.NAT.PortMapping.'
const ABSENT = 'Device.DeviceInfo.X_ACME_Absent'
const WAIT_MS = 60_000

/**
 * Every verb over one driver, against a simulated device: the behaviour that callers of the engine rely on over each
 * protocol.
 */
export function driverContract(name: string, setup: () => Promise<ContractSubject>, traits: ContractTraits = {}): void {
  const { rowValues = {}, host = '192.0.2.1', channels = ['44', '48'] } = traits
  describe(`driver contract: ${name}`, () => {
    let subject: ContractSubject
    beforeAll(async () => {
      subject = await setup()
    })
    afterAll(() => subject?.stop())

    const ask = async (request: OperationRequest): Promise<Operation> => {
      const { operations, deviceId } = subject
      const { id } = await operations.submit({ deviceId, request, actor: { kind: 'apiKey', id: 'contract' } })
      const ended = await operations.wait(id, WAIT_MS)
      if (ended === undefined) throw new Error('the operation is gone')
      expect(operationProblems(ended), 'the answer as the API describes it').toEqual([])
      return ended
    }
    const stored = async (path: string) => (await subject.parameters.getMany(subject.deviceId, [path]))[0]
    const outcome = ({ result }: Operation, path: string) => result?.results.find((one) => one.path === path)
    const add = async (port: string): Promise<string> => {
      const added = await ask({
        verb: 'add',
        object: TABLE,
        values: { ...rowValues, ExternalPort: port, Description: `p${port}` },
      })
      const row = added.result?.results.find(({ created }) => created !== undefined)?.created
      if (row === undefined) throw new Error(`no row was created: ${JSON.stringify(added.result)}`)
      return row
    }

    it('get answers values with their types, by parameter and by object, and keeps them', async () => {
      const read = await ask({ verb: 'get', paths: [SSID, 'Device.WiFi.Radio.1.'] })
      expect(read.state).toBe('done')
      expect(outcome(read, SSID)).toMatchObject({ value: subject.device.value(SSID), type: 'string' })
      expect(outcome(read, CHANNEL)).toMatchObject({ value: subject.device.value(CHANNEL), type: 'unsignedInt' })
      expect(await stored(CHANNEL)).toMatchObject({ value: subject.device.value(CHANNEL), source: subject.protocol })
    })

    it('get names the path that does not exist and still answers the others', async () => {
      const read = await ask({ verb: 'get', paths: [ABSENT, SSID] })
      expect(read.state).toBe('failed')
      expect(outcome(read, ABSENT)?.error?.code).toMatch(/^(9005|7026)$/)
      expect(outcome(read, SSID)?.value).toBe(subject.device.value(SSID))
    })

    it('get takes search paths, and one that matches nothing is no error', async () => {
      const row = await add('1111')
      const read = await ask({
        verb: 'get',
        paths: [`${TABLE}[Description=="p1111"].ExternalPort`, `${TABLE}*.Enable`],
      })
      expect(read.state).toBe('done')
      expect(outcome(read, `${row}ExternalPort`)?.value).toBe('1111')
      const all = read.result?.results.filter(({ path }) => path.endsWith('.Enable')) ?? []
      expect(all.length).toBe(subject.device.rows(TABLE).length)
      const nothing = await ask({ verb: 'get', paths: [`${TABLE}[Description=="nobody"].ExternalPort`] })
      expect(nothing).toMatchObject({ state: 'done', result: { results: [] } })
    })

    it('get goes as deep as it is asked to', async () => {
      const address = 'IPv4Address.1.IPAddress'
      const found = await ask({ verb: 'get', paths: [`Device.IP.Interface.*.${address}`] })
      const object = (found.result?.results[0]?.path ?? '').slice(0, -address.length)
      expect(object).toMatch(/^Device\.IP\.Interface\.\d+\.$/)
      const deep = (await ask({ verb: 'get', paths: [object] })).result?.results.map(({ path }) => path) ?? []
      const flat =
        (await ask({ verb: 'get', paths: [object], maxDepth: 1 })).result?.results.map(({ path }) => path) ?? []
      expect(deep).toContain(object + address)
      expect(flat).toContain(`${object}Enable`)
      expect(flat.filter((path) => path.slice(object.length).includes('.'))).toEqual([])
    })

    it('get of an object returns the values below it; an object that does not exist is an error', async () => {
      const read = await ask({ verb: 'get', paths: ['Device.X_ACME_Nothing.'] })
      expect(read.state).toBe('failed')
      expect(outcome(read, 'Device.X_ACME_Nothing.')?.error?.code).toMatch(/^(9005|7026|7016)$/)
    })

    it('set and delete take search paths', async () => {
      const row = await add('2222')
      const search = `${TABLE}[Description=="p2222"].`
      const written = await ask({ verb: 'set', values: [{ path: `${search}ExternalPort`, value: '2223' }] })
      expect(written.state).toBe('done')
      expect(subject.device.value(`${row}ExternalPort`)).toBe('2223')
      expect((await stored(`${row}ExternalPort`))?.value).toBe('2223')
      expect((await ask({ verb: 'delete', paths: [search] })).state).toBe('done')
      expect(subject.device.rows(TABLE)).not.toContain(row)
    })

    it('set writes, answers per path, and keeps the new value', async () => {
      const written = await ask({
        verb: 'set',
        values: [
          { path: SSID, value: 'contract & <co>' },
          { path: ENABLE, value: 'false' },
        ],
      })
      expect(written).toMatchObject({ state: 'done', sentVia: subject.protocol })
      expect(outcome(written, SSID)?.error).toBeUndefined()
      expect(subject.device.value(SSID)).toBe('contract & <co>')
      expect(subject.device.value(ENABLE)).toBe('false')
      expect(await stored(SSID)).toMatchObject({ value: 'contract & <co>' })
    })

    it('set answers for a secret without showing it, and keeps it nowhere', async () => {
      const before = subject.device.value(SECRET)
      const written = await ask({ verb: 'set', values: [{ path: SECRET, value: 'correct horse' }] })
      expect(written.state).toBe('done')
      expect(outcome(written, SECRET)).toBeDefined()
      expect(outcome(written, SECRET)?.error).toBeUndefined()
      expect(subject.device.value(SECRET)).not.toBe(before)
      expect(JSON.stringify(written)).not.toContain('horse')
      expect((await stored(SECRET))?.value ?? '').toBe('')
    })

    if (traits.undoesCutWrites !== true)
      it('reconciles a set whose answer was lost, as far as its values can be read back', async () => {
        subject.device.losePowerAfter(SSID)
        const values = [
          { path: SSID, value: 'with a secret' },
          { path: SECRET, value: 'another horse' },
        ]
        expect((await ask({ verb: 'set', values })).state).toBe('done')
      })

    it('set is all or nothing, and says which path was refused', async () => {
      const before = subject.device.value(SSID)
      const refused = await ask({
        verb: 'set',
        values: [
          { path: SSID, value: 'half' },
          { path: ABSENT, value: '1' },
        ],
      })
      expect(refused.state).toBe('failed')
      expect(refused.result?.error).toBeDefined()
      expect(outcome(refused, ABSENT)?.error).toBeDefined()
      expect(subject.device.value(SSID)).toBe(before)
      expect((await stored(SSID))?.value).toBe(before)
    })

    it('set with allowPartial writes the values that the device accepts', async () => {
      const partial = await ask({
        verb: 'set',
        allowPartial: true,
        values: [
          { path: SSID, value: 'part' },
          { path: ABSENT, value: '1' },
        ],
      })
      expect(outcome(partial, ABSENT)?.error).toBeDefined()
      expect(subject.device.value(SSID)).toBe('part')
      expect((await stored(SSID))?.value).toBe('part')
    })

    it('add creates one row with its values and names it', async () => {
      const before = subject.device.rows(TABLE)
      const row = await add('8080')
      expect(subject.device.rows(TABLE)).toEqual([...before, row])
      expect(subject.device.value(`${row}ExternalPort`)).toBe('8080')
      expect((await stored(`${row}Description`))?.value).toBe('p8080')
    })

    it('add leaves no row behind when a value is refused', async () => {
      const before = subject.device.rows(TABLE)
      const refused = await ask({
        verb: 'add',
        object: TABLE,
        values: { ...rowValues, ExternalPort: '1', X_ACME_Absent: '1' },
      })
      expect(refused.state).toBe('failed')
      expect(subject.device.rows(TABLE)).toEqual(before)
    })

    it('add stores which rows were there before, so that a lost answer can be reconciled', async () => {
      const before = subject.device.rows(TABLE)
      const added = await ask({ verb: 'add', object: TABLE, values: { ...rowValues, ExternalPort: '4444' } })
      expect(added.state).toBe('done')
      expect([...(added.baseline?.instances ?? [])].sort()).toEqual([...before].sort())
    })

    it('delete takes the row away, here and in the record', async () => {
      const row = await add('9090')
      const removed = await ask({ verb: 'delete', paths: [row] })
      expect(removed.state).toBe('done')
      expect(subject.device.rows(TABLE)).not.toContain(row)
      expect(await stored(`${row}ExternalPort`)).toBeUndefined()
    })

    it('delete of a row that is not there is an error, unless parts will do', async () => {
      const row = await add('9191')
      expect((await ask({ verb: 'delete', paths: [row] })).state).toBe('done')
      expect((await ask({ verb: 'delete', paths: [row] })).state).toBe('failed')
      expect((await ask({ verb: 'delete', paths: [row], allowPartial: true })).state).toBe('done')
      expect(subject.device.rows(TABLE)).not.toContain(row)
    })

    it('delete with allowPartial deletes the rows that can be deleted, and names the others', async () => {
      const row = await add('9292')
      const removed = await ask({ verb: 'delete', paths: ['Device.X_ACME_Nothing.1.', row], allowPartial: true })
      expect(subject.device.rows(TABLE)).not.toContain(row)
      expect(outcome(removed, row)).toBeDefined()
      expect(outcome(removed, row)?.error).toBeUndefined()
    })

    it('drops a row that the device says does not exist', async () => {
      const parameter = { path: `${TABLE}4712.ExternalPort`, value: '1', type: 'unsignedInt', collectedAt: 1 } as const
      const { devices, deviceId, protocol } = subject
      await devices.commit({ deviceId, parameters: [{ ...parameter, source: protocol }] })
      await ask({ verb: 'delete', paths: [`${TABLE}4712.`] })
      expect(await stored(parameter.path)).toBeUndefined()
    })

    it('add in parts keeps the row with the values that the device accepts', async () => {
      const values = { ...rowValues, ExternalPort: '3333', X_ACME_Absent: '1' }
      const added = await ask({ verb: 'add', object: TABLE, values, allowPartial: true })
      const row = added.result?.results.find(({ created }) => created !== undefined)?.created ?? ''
      expect(added.state).toBe('failed')
      expect(outcome(added, `${row}X_ACME_Absent`)?.error).toBeDefined()
      expect(subject.device.value(`${row}ExternalPort`)).toBe('3333')
      expect((await stored(`${row}ExternalPort`))?.value).toBe('3333')
    })

    it('instances lists the rows of a table, and supported what is below a path', async () => {
      const row = await add('4545')
      const rows = await ask({ verb: 'instances', paths: [TABLE] })
      expect(rows.state).toBe('done')
      expect(rows.result?.results.map(({ path }) => path).sort()).toEqual([...subject.device.rows(TABLE)].sort())
      expect(outcome(rows, row)?.error).toBeUndefined()
      const below = await ask({ verb: 'supported', path: 'Device.WiFi.Radio.' })
      expect(below.state).toBe('done')
      expect(below.result?.results.find(({ path }) => path.endsWith('.Channel'))).toMatchObject({ writable: true })
    })

    it('discover stores the tree in the record, with access', async () => {
      const found = await ask({ verb: 'discover', path: 'Device.WiFi.' })
      expect(found.state).toBe('done')
      expect(Number(found.result?.output?.parameters)).toBeGreaterThan(5)
      expect(await stored(CHANNEL)).toMatchObject({ value: subject.device.value(CHANNEL), writable: true })
    })

    it('discover forgets rows that are gone', async () => {
      const row = await add('7070')
      expect(await stored(`${row}ExternalPort`)).toBeDefined()
      await subject.devices.commit({
        deviceId: subject.deviceId,
        parameters: [
          {
            path: `${TABLE}4711.ExternalPort`,
            value: '1',
            type: 'unsignedInt',
            source: subject.protocol,
            collectedAt: 1,
          },
        ],
      })
      expect((await ask({ verb: 'discover', path: 'Device.NAT.' })).state).toBe('done')
      expect(await stored(`${TABLE}4711.ExternalPort`)).toBeUndefined()
      expect(await stored(`${row}ExternalPort`)).toBeDefined()
    })

    it('subscribe reports changes of the device, and its end stops that', async () => {
      const subscribe = (enable: boolean): OperationRequest => ({
        verb: 'subscribe',
        id: 'contract',
        notifType: 'ValueChange',
        paths: [CHANNEL],
        enable,
      })
      expect((await ask(subscribe(true))).state).toBe('done')
      expect((await ask(subscribe(true))).state).toBe('done')
      subject.device.change(CHANNEL, channels[0])
      await eventually(async () => (await stored(CHANNEL))?.value === channels[0])
      expect((await ask(subscribe(false))).state).toBe('done')
    })

    const ping = (host: string): OperationRequest => ({
      verb: 'operate',
      command: 'Device.IP.Diagnostics.IPPing()',
      input: { ProtocolVersion: 'Any', Host: host, NumberOfRepetitions: '4', Timeout: '500', DataBlockSize: '64' },
    })

    it('subscribe with other paths replaces the subscription of the same ID', async () => {
      const subscribe = (id: string, paths: string[], enable = true): OperationRequest => ({
        verb: 'subscribe',
        id,
        notifType: 'ValueChange',
        paths,
        enable,
      })
      expect((await ask(subscribe('moving', [ENABLE]))).state).toBe('done')
      expect((await ask(subscribe('moving', [CHANNEL]))).state).toBe('done')
      const other = (await stored(ENABLE))?.value
      subject.device.change(ENABLE, other === 'true' ? 'false' : 'true')
      subject.device.change(CHANNEL, channels[1])
      await eventually(async () => (await stored(CHANNEL))?.value === channels[1])
      expect((await stored(ENABLE))?.value).toBe(other)
      expect((await ask(subscribe('moving', [CHANNEL], false))).state).toBe('done')
    })

    it('operate runs a diagnostic and ends with its results', async () => {
      const ended = await ask(ping(host))
      expect(ended).toMatchObject({ state: 'done', result: { output: { Status: 'Complete', SuccessCount: '4' } } })
    })

    it('operate returns the results of a diagnostic, also when they are an error', async () => {
      const ended = await ask(ping('nowhere.invalid'))
      expect(ended).toMatchObject({ state: 'done', result: { output: { Status: 'Error_CannotResolveHostName' } } })
    })

    it('operate fails for a command that the device does not have', async () => {
      const refused = await ask({ verb: 'operate', command: 'Device.X_ACME_Do()', input: {} })
      expect(refused.state).toBe('failed')
      expect(refused.result?.error?.code).toMatch(/^(notSupported|7\d\d\d)$/)
    })

    it('lets other work pass while a command runs', async () => {
      const { operations, deviceId } = subject
      const actor = { kind: 'apiKey', id: 'contract' } as const
      const running = await operations.submit({ deviceId, request: ping('192.0.2.2'), actor })
      expect((await ask({ verb: 'set', values: [{ path: SSID, value: 'beside' }] })).state).toBe('done')
      expect((await operations.wait(running.id, WAIT_MS))?.state).toBe('done')
    })

    if (traits.undoesCutWrites !== true)
      it('reconciles a set whose answer was lost by reading it, and does not send it again', async () => {
        subject.device.losePowerAfter(SSID)
        const lost = await ask({ verb: 'set', values: [{ path: SSID, value: 'lost' }] })
        expect(lost).toMatchObject({ state: 'done', result: { results: [{ path: SSID, value: 'lost' }] } })
        expect(subject.device.value(SSID)).toBe('lost')
      })

    if (traits.undoesCutWrites !== true)
      it('reconciles an add whose answer was lost by the new row, and adds no second', async () => {
        await add('6060')
        const before = subject.device.rows(TABLE)
        subject.device.losePowerAfter(TABLE)
        const lost = await ask({ verb: 'add', object: TABLE, values: { ...rowValues, ExternalPort: '6060' } })
        const created = lost.result?.results.find((one) => one.created !== undefined)?.created
        expect(subject.device.rows(TABLE)).toEqual([...before, created])
        // A CPE makes the row and writes its values after that.
        const isWhole = subject.device.value(`${created}ExternalPort`) === '6060'
        expect([lost.state, lost.result?.error?.code]).toEqual(isWhole ? ['done', undefined] : ['failed', 'incomplete'])
      })

    if (traits.undoesCutWrites !== true)
      it('reconciles a delete whose answer was lost by the row that is gone', async () => {
        const row = await add('5050')
        subject.device.losePowerAfter(row)
        expect((await ask({ verb: 'delete', paths: [row] })).state).toBe('done')
        expect(subject.device.rows(TABLE)).not.toContain(row)
      })

    it('reboot ends when the device has booted', async () => {
      const boots = subject.device.boots()
      const rebooted = await ask({ verb: 'reboot' })
      expect(rebooted.state).toBe('done')
      expect(subject.device.boots()).toBe(boots + 1)
    })

    it('runs the operations behind a reboot after it', async () => {
      const { operations, deviceId } = subject
      const boots = subject.device.boots()
      const actor = { kind: 'apiKey', id: 'contract' } as const
      const reboot = await operations.submit({ deviceId, request: { verb: 'reboot' }, actor })
      const written = await ask({ verb: 'set', values: [{ path: SSID, value: 'after' }] })
      expect(written.state).toBe('done')
      const first = await operations.get(reboot.id)
      expect(first?.state).toBe('done')
      expect(first?.finishedAt).toBeLessThanOrEqual(written.sentAt ?? 0)
      expect(subject.device.boots()).toBe(boots + 1)
    })

    if (traits.guardsItself !== true)
      it('download brings the new version and ends with it', async () => {
        const files = await startFileServer({ 'fw-7.0.bin': Buffer.alloc(1000) })
        const request: OperationRequest = { verb: 'download', url: files.url('fw-7.0.bin'), version: '7.0' }
        expect((await ask(request)).state).toBe('done')
        expect(subject.device.value(VERSION)).toBe('7.0')
        expect(files.asked.map(({ name }) => name)).toEqual(['fw-7.0.bin'])
        await eventually(async () => (await subject.devices.get(subject.deviceId))?.softwareVersion === '7.0')
        await files.stop()
      })

    if (traits.guardsItself !== true)
      it('download of a file that is not there fails with the reason, and the device does not boot', async () => {
        const files = await startFileServer({})
        const boots = subject.device.boots()
        const before = subject.device.value(VERSION)
        const answer = await ask({ verb: 'download', url: files.url('fw-7.0.bin'), version: '7.0' })
        expect(answer.state).toBe('failed')
        expect(answer.result?.error?.text).toContain('404')
        expect([subject.device.value(VERSION), subject.device.boots()]).toEqual([before, boots])
        await files.stop()
      })

    it('keeps the order of a burst', async () => {
      const { operations, deviceId } = subject
      const actor = { kind: 'apiKey', id: 'contract' } as const
      const ids: string[] = []
      for (let i = 1; i <= 8; i++) {
        const request: OperationRequest = { verb: 'set', values: [{ path: SSID, value: `n${i}` }] }
        ids.push((await operations.submit({ deviceId, request, actor })).id)
      }
      for (const id of ids) expect((await operations.wait(id, WAIT_MS))?.state).toBe('done')
      expect(subject.device.value(SSID)).toBe('n8')
    })

    it('expires an operation that waits too long and cancels one that was not sent, and neither reaches the device', async () => {
      const { operations, deviceId } = subject
      const actor = { kind: 'apiKey', id: 'contract' } as const
      const reboot = await operations.submit({ deviceId, request: { verb: 'reboot' }, actor })
      const request: OperationRequest = { verb: 'set', values: [{ path: SSID, value: 'never' }] }
      const late = await operations.submit({ deviceId, request, actor, expiresInMs: 1 })
      const cancelled = await operations.submit({ deviceId, request, actor })
      expect(await operations.cancel(cancelled.id, actor)).toMatchObject({ state: 'cancelled' })
      expect((await operations.wait(reboot.id, WAIT_MS))?.state).toBe('done')
      expect((await operations.wait(late.id, WAIT_MS))?.state).toBe('expired')
      expect(subject.device.value(SSID)).not.toBe('never')
    })

    if (traits.guardsItself !== true)
      it('factoryReset ends when the device has booted with factory settings', async () => {
        await ask({ verb: 'set', values: [{ path: SSID, value: 'mine' }] })
        const boots = subject.device.boots()
        expect((await ask({ verb: 'factoryReset' })).state).toBe('done')
        expect(subject.device.boots()).toBe(boots + 1)
        expect(subject.device.value(SSID)).not.toBe('mine')
        expect(subject.device.value(UPTIME)).toBeDefined()
        const device = await subject.devices.get(subject.deviceId)
        expect(device?.id).toBe(subject.deviceId)
        expect((await ask({ verb: 'set', values: [{ path: SSID, value: 'again' }] })).state).toBe('done')
      })
  })
}

/** Resolves once the condition holds. */
function eventually(condition: () => Promise<boolean>): Promise<void> {
  return until(condition).then(() => undefined)
}
