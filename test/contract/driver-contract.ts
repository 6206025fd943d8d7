import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type {
  DeviceId,
  DeviceStore,
  Operation,
  OperationRequest,
  Operations,
  ParameterStore,
  Protocol,
} from '../../src/domain/index.ts'
import { startFileServer } from '../support/file-server.ts'

/** A box behind its wire, as the suite looks into it without any protocol. */
export interface ContractBox {
  /** The value in the box itself; undefined when there is no such parameter. */
  value(path: string): string | undefined
  /** Rows of a table in the box itself. */
  rows(table: string): string[]
  /** The box changes a value by itself. */
  change(path: string, value: string): void
  /** The plug is pulled right after the next effect on this path, before its answer leaves; it starts again by itself. */
  losePowerAfter(path: string): void
  /** How often it has started since the suite began. */
  boots(): number
}

/** Everything between a request and a box: engine, driver, wire, simulated box. */
export interface ContractSubject {
  operations: Operations
  devices: DeviceStore
  parameters: ParameterStore
  deviceId: DeviceId
  protocol: Protocol
  box: ContractBox
  stop(): Promise<void>
}

const SSID = 'Device.WiFi.SSID.1.SSID'
const CHANNEL = 'Device.WiFi.Radio.1.Channel'
const ENABLE = 'Device.WiFi.Radio.1.Enable'
const UPTIME = 'Device.DeviceInfo.UpTime'
const VERSION = 'Device.DeviceInfo.SoftwareVersion'
const SECRET = 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase'
const TABLE = 'Device.NAT.PortMapping.'
const ABSENT = 'Device.DeviceInfo.X_ACME_Absent'
const WAIT_MS = 20_000

/** Every verb over one driver, against a simulated box: what the engine's callers may rely on, whichever protocol carries it. */
export function driverContract(name: string, setup: () => Promise<ContractSubject>): void {
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
      return ended
    }
    const stored = async (path: string) => (await subject.parameters.getMany(subject.deviceId, [path]))[0]
    const outcome = ({ result }: Operation, path: string) => result?.results.find((one) => one.path === path)
    const add = async (port: string): Promise<string> => {
      const added = await ask({ verb: 'add', object: TABLE, values: { ExternalPort: port, Description: `p${port}` } })
      const row = added.result?.results.find(({ created }) => created !== undefined)?.created
      if (row === undefined) throw new Error(`no row was created: ${JSON.stringify(added.result)}`)
      return row
    }

    it('get answers values with their types, by parameter and by object, and keeps them', async () => {
      const read = await ask({ verb: 'get', paths: [SSID, 'Device.WiFi.Radio.1.'] })
      expect(read.state).toBe('done')
      expect(outcome(read, SSID)).toMatchObject({ value: subject.box.value(SSID), type: 'string' })
      expect(outcome(read, CHANNEL)).toMatchObject({ value: subject.box.value(CHANNEL), type: 'unsignedInt' })
      expect(await stored(CHANNEL)).toMatchObject({ value: subject.box.value(CHANNEL), source: subject.protocol })
    })

    it('get names the path that does not exist and still answers the others', async () => {
      const read = await ask({ verb: 'get', paths: [ABSENT, SSID] })
      expect(read.state).toBe('failed')
      expect(outcome(read, ABSENT)?.error?.code).toMatch(/^(9005|7026)$/)
      expect(outcome(read, SSID)?.value).toBe(subject.box.value(SSID))
    })

    it('get takes search paths, and one that matches nothing is no error', async () => {
      const row = await add('1111')
      const read = await ask({ verb: 'get', paths: [`${TABLE}[Description=="p1111"].ExternalPort`, `${TABLE}*.Alias`] })
      expect(read.state).toBe('done')
      expect(outcome(read, `${row}ExternalPort`)?.value).toBe('1111')
      const aliases = read.result?.results.filter(({ path }) => path.endsWith('.Alias')) ?? []
      expect(aliases.length).toBe(subject.box.rows(TABLE).length)
      const nothing = await ask({ verb: 'get', paths: [`${TABLE}[Description=="nobody"].ExternalPort`] })
      expect(nothing).toMatchObject({ state: 'done', result: { results: [] } })
    })

    it('get goes as deep as it is asked to', async () => {
      const object = 'Device.IP.Interface.1.'
      const deep = (await ask({ verb: 'get', paths: [object] })).result?.results.map(({ path }) => path) ?? []
      const flat =
        (await ask({ verb: 'get', paths: [object], maxDepth: 1 })).result?.results.map(({ path }) => path) ?? []
      expect(deep).toContain(`${object}IPv4Address.1.IPAddress`)
      expect(flat).toContain(`${object}Enable`)
      expect(flat.filter((path) => path.slice(object.length).includes('.'))).toEqual([])
    })

    it('get of an object answers what is below it; one that the box has not is an error', async () => {
      const read = await ask({ verb: 'get', paths: ['Device.X_ACME_Nothing.'] })
      expect(read.state).toBe('failed')
      expect(outcome(read, 'Device.X_ACME_Nothing.')?.error?.code).toMatch(/^(9005|7026|7016)$/)
    })

    it('set and delete take search paths', async () => {
      const row = await add('2222')
      const search = `${TABLE}[Description=="p2222"].`
      const written = await ask({ verb: 'set', values: [{ path: `${search}ExternalPort`, value: '2223' }] })
      expect(written.state).toBe('done')
      expect(subject.box.value(`${row}ExternalPort`)).toBe('2223')
      expect((await stored(`${row}ExternalPort`))?.value).toBe('2223')
      expect((await ask({ verb: 'delete', paths: [search] })).state).toBe('done')
      expect(subject.box.rows(TABLE)).not.toContain(row)
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
      expect(subject.box.value(SSID)).toBe('contract & <co>')
      expect(subject.box.value(ENABLE)).toBe('false')
      expect(await stored(SSID)).toMatchObject({ value: 'contract & <co>' })
    })

    it('set answers for a secret without showing it, and keeps it nowhere', async () => {
      const before = subject.box.value(SECRET)
      const written = await ask({ verb: 'set', values: [{ path: SECRET, value: 'correct horse' }] })
      expect(written.state).toBe('done')
      expect(outcome(written, SECRET)).toBeDefined()
      expect(outcome(written, SECRET)?.error).toBeUndefined()
      expect(subject.box.value(SECRET)).not.toBe(before)
      expect(JSON.stringify(written)).not.toContain('horse')
      expect((await stored(SECRET))?.value ?? '').toBe('')
    })

    it('settles a set whose answer was lost as far as what can be read back tells', async () => {
      subject.box.losePowerAfter(SSID)
      const values = [
        { path: SSID, value: 'with a secret' },
        { path: SECRET, value: 'another horse' },
      ]
      expect((await ask({ verb: 'set', values })).state).toBe('done')
    })

    it('set is all or nothing, and says which path was refused', async () => {
      const before = subject.box.value(SSID)
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
      expect(subject.box.value(SSID)).toBe(before)
      expect((await stored(SSID))?.value).toBe(before)
    })

    it('set in parts writes what can be written', async () => {
      const partial = await ask({
        verb: 'set',
        allowPartial: true,
        values: [
          { path: SSID, value: 'part' },
          { path: ABSENT, value: '1' },
        ],
      })
      expect(outcome(partial, ABSENT)?.error).toBeDefined()
      expect(subject.box.value(SSID)).toBe('part')
      expect((await stored(SSID))?.value).toBe('part')
    })

    it('add creates one row with its values and names it', async () => {
      const before = subject.box.rows(TABLE)
      const row = await add('8080')
      expect(subject.box.rows(TABLE)).toEqual([...before, row])
      expect(subject.box.value(`${row}ExternalPort`)).toBe('8080')
      expect((await stored(`${row}Description`))?.value).toBe('p8080')
    })

    it('add leaves no row behind when a value is refused', async () => {
      const before = subject.box.rows(TABLE)
      const refused = await ask({ verb: 'add', object: TABLE, values: { ExternalPort: '1', X_ACME_Absent: '1' } })
      expect(refused.state).toBe('failed')
      expect(subject.box.rows(TABLE)).toEqual(before)
    })

    it('add stores which rows were there before, so that a lost answer can be settled', async () => {
      const before = subject.box.rows(TABLE)
      const added = await ask({ verb: 'add', object: TABLE, values: {} })
      expect(added.state).toBe('done')
      expect([...(added.baseline?.instances ?? [])].sort()).toEqual([...before].sort())
    })

    it('delete takes the row away, here and in the record', async () => {
      const row = await add('9090')
      const removed = await ask({ verb: 'delete', paths: [row] })
      expect(removed.state).toBe('done')
      expect(subject.box.rows(TABLE)).not.toContain(row)
      expect(await stored(`${row}ExternalPort`)).toBeUndefined()
    })

    it('delete of a row that is not there is an error, unless parts will do', async () => {
      const row = await add('9191')
      expect((await ask({ verb: 'delete', paths: [row] })).state).toBe('done')
      expect((await ask({ verb: 'delete', paths: [row] })).state).toBe('failed')
      expect((await ask({ verb: 'delete', paths: [row], allowPartial: true })).state).toBe('done')
      expect(subject.box.rows(TABLE)).not.toContain(row)
    })

    it('delete takes what can be deleted where parts will do, and says what cannot', async () => {
      const row = await add('9292')
      const removed = await ask({ verb: 'delete', paths: ['Device.X_ACME_Nothing.1.', row], allowPartial: true })
      expect(subject.box.rows(TABLE)).not.toContain(row)
      expect(outcome(removed, row)).toBeDefined()
      expect(outcome(removed, row)?.error).toBeUndefined()
    })

    it('forgets a row that the box says is not there', async () => {
      const parameter = { path: `${TABLE}4712.ExternalPort`, value: '1', type: 'unsignedInt', collectedAt: 1 } as const
      const { devices, deviceId, protocol } = subject
      await devices.commit({ deviceId, parameters: [{ ...parameter, source: protocol }] })
      await ask({ verb: 'delete', paths: [`${TABLE}4712.`] })
      expect(await stored(parameter.path)).toBeUndefined()
    })

    it('add in parts keeps the row with what the box takes', async () => {
      const values = { ExternalPort: '3333', X_ACME_Absent: '1' }
      const added = await ask({ verb: 'add', object: TABLE, values, allowPartial: true })
      const row = added.result?.results.find(({ created }) => created !== undefined)?.created ?? ''
      expect(added.state).toBe('failed')
      expect(outcome(added, `${row}X_ACME_Absent`)?.error).toBeDefined()
      expect(subject.box.value(`${row}ExternalPort`)).toBe('3333')
      expect((await stored(`${row}ExternalPort`))?.value).toBe('3333')
    })

    it('discover brings the tree into the record, with what can be written', async () => {
      const found = await ask({ verb: 'discover', path: 'Device.WiFi.' })
      expect(found.state).toBe('done')
      expect(Number(found.result?.output?.parameters)).toBeGreaterThan(5)
      expect(await stored(CHANNEL)).toMatchObject({ value: subject.box.value(CHANNEL), writable: true })
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

    it('subscribe makes a change of the box known, and its end keeps it quiet', async () => {
      const subscribe = (enable: boolean): OperationRequest => ({
        verb: 'subscribe',
        id: 'contract',
        notifType: 'ValueChange',
        paths: [CHANNEL],
        enable,
      })
      expect((await ask(subscribe(true))).state).toBe('done')
      expect((await ask(subscribe(true))).state).toBe('done')
      subject.box.change(CHANNEL, '44')
      await eventually(async () => (await stored(CHANNEL))?.value === '44')
      expect((await ask(subscribe(false))).state).toBe('done')
    })

    const ping = (host: string): OperationRequest => ({
      verb: 'operate',
      command: 'Device.IP.Diagnostics.IPPing()',
      input: { ProtocolVersion: 'Any', Host: host, NumberOfRepetitions: '4', Timeout: '500', DataBlockSize: '64' },
    })

    it('subscribe with other paths takes the place of what its ID stood for', async () => {
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
      subject.box.change(ENABLE, other === 'true' ? 'false' : 'true')
      subject.box.change(CHANNEL, '48')
      await eventually(async () => (await stored(CHANNEL))?.value === '48')
      expect((await stored(ENABLE))?.value).toBe(other)
      expect((await ask(subscribe('moving', [CHANNEL], false))).state).toBe('done')
    })

    it('operate runs a diagnostic and ends with its results', async () => {
      const ended = await ask(ping('192.0.2.1'))
      expect(ended).toMatchObject({ state: 'done', result: { output: { Status: 'Complete', SuccessCount: '4' } } })
    })

    it('operate tells what a diagnostic found, also when that is an error', async () => {
      const ended = await ask(ping('nowhere.invalid'))
      expect(ended).toMatchObject({ state: 'done', result: { output: { Status: 'Error_CannotResolveHostName' } } })
    })

    it('operate fails for a command that the box does not have', async () => {
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

    it('settles a set whose answer was lost by reading it, and does not send it again', async () => {
      subject.box.losePowerAfter(SSID)
      const lost = await ask({ verb: 'set', values: [{ path: SSID, value: 'lost' }] })
      expect(lost).toMatchObject({ state: 'done', result: { results: [{ path: SSID, value: 'lost' }] } })
      expect(subject.box.value(SSID)).toBe('lost')
    })

    it('settles an add whose answer was lost by the row that is new, and adds no second', async () => {
      await add('6060')
      const before = subject.box.rows(TABLE)
      subject.box.losePowerAfter(TABLE)
      const lost = await ask({ verb: 'add', object: TABLE, values: { ExternalPort: '6060' } })
      const created = lost.result?.results.find((one) => one.created !== undefined)?.created
      expect(lost.state).toBe('done')
      expect(subject.box.rows(TABLE)).toEqual([...before, created])
    })

    it('settles a delete whose answer was lost by the row that is gone', async () => {
      const row = await add('5050')
      subject.box.losePowerAfter(row)
      expect((await ask({ verb: 'delete', paths: [row] })).state).toBe('done')
      expect(subject.box.rows(TABLE)).not.toContain(row)
    })

    it('reboot ends when the box is back', async () => {
      const boots = subject.box.boots()
      const rebooted = await ask({ verb: 'reboot' })
      expect(rebooted.state).toBe('done')
      expect(subject.box.boots()).toBe(boots + 1)
    })

    it('runs what waits behind a reboot after it', async () => {
      const { operations, deviceId } = subject
      const boots = subject.box.boots()
      const actor = { kind: 'apiKey', id: 'contract' } as const
      const reboot = await operations.submit({ deviceId, request: { verb: 'reboot' }, actor })
      const written = await ask({ verb: 'set', values: [{ path: SSID, value: 'after' }] })
      expect(written.state).toBe('done')
      const first = await operations.get(reboot.id)
      expect(first?.state).toBe('done')
      expect(first?.finishedAt).toBeLessThanOrEqual(written.sentAt ?? 0)
      expect(subject.box.boots()).toBe(boots + 1)
    })

    it('download brings the new version and ends with it', async () => {
      const files = await startFileServer({ 'fw-7.0.bin': Buffer.alloc(1000) })
      const request: OperationRequest = { verb: 'download', url: files.url('fw-7.0.bin'), version: '7.0' }
      expect((await ask(request)).state).toBe('done')
      expect(subject.box.value(VERSION)).toBe('7.0')
      expect(files.asked.map(({ name }) => name)).toEqual(['fw-7.0.bin'])
      await eventually(async () => (await subject.devices.get(subject.deviceId))?.softwareVersion === '7.0')
      await files.stop()
    })

    it('download of a file that is not there fails with the reason, and the box does not boot', async () => {
      const files = await startFileServer({})
      const boots = subject.box.boots()
      const before = subject.box.value(VERSION)
      const answer = await ask({ verb: 'download', url: files.url('fw-7.0.bin'), version: '7.0' })
      expect(answer.state).toBe('failed')
      expect(answer.result?.error?.text).toContain('404')
      expect([subject.box.value(VERSION), subject.box.boots()]).toEqual([before, boots])
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
      expect(subject.box.value(SSID)).toBe('n8')
    })

    it('expires what waits too long, cancels what was not sent, and does neither to the box', async () => {
      const { operations, deviceId } = subject
      const actor = { kind: 'apiKey', id: 'contract' } as const
      const reboot = await operations.submit({ deviceId, request: { verb: 'reboot' }, actor })
      const request: OperationRequest = { verb: 'set', values: [{ path: SSID, value: 'never' }] }
      const late = await operations.submit({ deviceId, request, actor, expiresInMs: 1 })
      const cancelled = await operations.submit({ deviceId, request, actor })
      expect(await operations.cancel(cancelled.id, actor)).toMatchObject({ state: 'cancelled' })
      expect((await operations.wait(reboot.id, WAIT_MS))?.state).toBe('done')
      expect((await operations.wait(late.id, WAIT_MS))?.state).toBe('expired')
      expect(subject.box.value(SSID)).not.toBe('never')
    })

    it('factoryReset ends when the box is back with factory settings', async () => {
      await ask({ verb: 'set', values: [{ path: SSID, value: 'mine' }] })
      const boots = subject.box.boots()
      expect((await ask({ verb: 'factoryReset' })).state).toBe('done')
      expect(subject.box.boots()).toBe(boots + 1)
      expect(subject.box.value(SSID)).not.toBe('mine')
      expect(subject.box.value(UPTIME)).toBeDefined()
      const device = await subject.devices.get(subject.deviceId)
      expect(device?.id).toBe(subject.deviceId)
      expect((await ask({ verb: 'set', values: [{ path: SSID, value: 'again' }] })).state).toBe('done')
    })
  })
}

/** Resolves once the condition holds. */
function eventually(condition: () => Promise<boolean>): Promise<void> {
  return vi.waitUntil(condition, { timeout: WAIT_MS, interval: 20 }).then(() => undefined)
}
