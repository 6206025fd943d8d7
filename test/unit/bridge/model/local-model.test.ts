import { appendFile, mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { LocalModel } from '../../../../src/bridge/model/local-model.ts'
import type { ModelChange } from '../../../../src/usp/index.ts'

const CONTROLLER = 'Device.LocalAgent.Controller.1.'
const SUBSCRIPTIONS = 'Device.LocalAgent.Subscription.'
const SEED = {
  'Device.LocalAgent.EndpointID': 'os::48A98A-1',
  [`${CONTROLLER}EndpointID`]: 'self::one',
  [`${CONTROLLER}MTP.1.WebSocket.Host`]: '192.0.2.1',
}

let dir: string
let path: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'isthmus-local-'))
  path = join(dir, 'local')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function values(model: LocalModel, ...paths: string[]): Promise<Record<string, string>> {
  return Object.fromEntries(await model.get(paths))
}

it('begins with its seed, and keeps what was changed since', async () => {
  const first = await LocalModel.open(path, SEED)
  expect(await values(first, ...Object.keys(SEED))).toEqual(SEED)
  await first.set([{ path: `${CONTROLLER}PeriodicNotifInterval`, value: '60' }], CONTROLLER)
  const [row] = await first.add([{ table: SUBSCRIPTIONS, values: { ID: 's1', NotifType: 'Event' } }], CONTROLLER)
  expect(row).toBe(`${SUBSCRIPTIONS}1.`)
  // The process ends here.
  const second = await LocalModel.open(path, { 'Device.LocalAgent.EndpointID': 'another' })
  expect(
    await values(second, 'Device.LocalAgent.EndpointID', `${CONTROLLER}PeriodicNotifInterval`, `${row}ID`),
  ).toEqual({
    'Device.LocalAgent.EndpointID': 'os::48A98A-1',
    [`${CONTROLLER}PeriodicNotifInterval`]: '60',
    [`${row}ID`]: 's1',
  })
  await Promise.all([first.close(), second.close()])
})

it('gives no number of a row twice, also when the bridge was restarted in between', async () => {
  const first = await LocalModel.open(path, SEED)
  await first.add([{ table: SUBSCRIPTIONS, values: {} }], CONTROLLER)
  await first.delete([`${SUBSCRIPTIONS}1.`], CONTROLLER)
  await first.close()
  const second = await LocalModel.open(path, SEED)
  expect(await second.instances(SUBSCRIPTIONS)).toEqual([])
  expect(await second.add([{ table: SUBSCRIPTIONS, values: {} }], CONTROLLER)).toEqual([`${SUBSCRIPTIONS}2.`])
  await second.close()
})

it('refuses texts that are too long, and says which', async () => {
  const model = await LocalModel.open(path, SEED)
  const value = `Device.WiFi.${'x'.repeat(20_000)}.`
  await expect(model.set([{ path: `${CONTROLLER}Alias`, value }], CONTROLLER)).rejects.toMatchObject({
    problems: [{ path: `${CONTROLLER}Alias`, code: 7012 }],
  })
  const rows = [{}, { ReferenceList: value }].map((values) => ({ table: SUBSCRIPTIONS, values }))
  await expect(model.add(rows, CONTROLLER)).rejects.toMatchObject({
    problems: [{ path: `${SUBSCRIPTIONS}{i}.ReferenceList`, code: 7012, row: 1 }],
  })
  expect(await model.instances(SUBSCRIPTIONS)).toEqual([])
  await model.close()
})

it('does not acknowledge a change when its file was removed', async () => {
  const model = await LocalModel.open(path, SEED)
  await rm(path)
  await expect(model.add([{ table: SUBSCRIPTIONS, values: {} }], CONTROLLER)).rejects.toMatchObject({
    code: 7003,
    message: expect.stringContaining('was removed'),
  })
  expect(await model.instances(SUBSCRIPTIONS)).toEqual([])
  await model.close()
})

it('adds rows each for itself, and waits for the disk once', async () => {
  const model = await LocalModel.open(path, SEED)
  const file = await open(path)
  const synced = vi.spyOn(Object.getPrototypeOf(file), 'datasync')
  await file.close()
  const rows = Array.from({ length: 50 }, (_, i) => ({ table: SUBSCRIPTIONS, values: { ID: `s${i}` } }))
  const added = await model.addEach([...rows, { table: 'Device.LocalAgent.Nothing.', values: {} }], CONTROLLER)
  expect(synced.mock.calls.length).toBeLessThan(3)
  synced.mockRestore()
  expect(added.slice(0, 50)).toEqual(rows.map((_, i) => `${SUBSCRIPTIONS}${i + 1}.`))
  expect(added[50]).toMatchObject({ code: 7016 })
  await model.close()
  const again = await LocalModel.open(path, SEED)
  expect(await again.instances(SUBSCRIPTIONS)).toHaveLength(50)
  const more = await again.addEach(
    Array.from({ length: 951 }, () => ({ table: SUBSCRIPTIONS, values: {} })),
    CONTROLLER,
  )
  expect(more.filter((one) => typeof one === 'string')).toHaveLength(950)
  expect(more[950]).toMatchObject({ code: 7005 })
  await again.close()
})

it('has a change on the disk before it answers', async () => {
  const model = await LocalModel.open(path, SEED)
  await model.set([{ path: `${CONTROLLER}Enable`, value: '1' }], CONTROLLER)
  expect((await readFile(path, 'utf8')).trimEnd().split('\n').at(-1)).toBe(
    JSON.stringify({ set: `${CONTROLLER}Enable`, to: 'true' }),
  )
  await model.close()
})

it('forgets a change whose line was cut off', async () => {
  const first = await LocalModel.open(path, SEED)
  await first.close()
  await appendFile(path, `{"set":"${CONTROLLER}Enable","to":"tr`)
  const second = await LocalModel.open(path, SEED)
  expect(await values(second, `${CONTROLLER}Enable`)).toEqual({ [`${CONTROLLER}Enable`]: 'false' })
  await second.close()
})

it('undoes a change that cannot be stored', async () => {
  const model = await LocalModel.open(path, SEED)
  await model.close()
  await expect(model.set([{ path: `${CONTROLLER}Enable`, value: 'true' }], CONTROLLER)).rejects.toMatchObject({
    code: 7003,
  })
  expect(await values(model, `${CONTROLLER}Enable`)).toEqual({ [`${CONTROLLER}Enable`]: 'false' })
})

it('tells its changes, and offers only the commands that are answered', async () => {
  const model = await LocalModel.open(path, SEED)
  const seen: ModelChange[] = []
  model.changes((change) => seen.push(change))
  await model.set([{ path: `${CONTROLLER}Enable`, value: 'true' }], CONTROLLER)
  expect(seen).toMatchObject([{ kind: 'value', path: `${CONTROLLER}Enable`, value: 'true', previous: 'false' }])
  const supported = await model.supported()
  const commands = [...supported.objects()].flatMap((object) => [...(supported.object(object)?.commands.keys() ?? [])])
  expect(commands.sort()).toEqual(['Cancel()', 'SendOnBoardRequest()'])
  await model.close()
})

it('a Controller that changes a value without end does not make the file long', async () => {
  const model = await LocalModel.open(path, SEED)
  const changed = `${CONTROLLER}ProvisioningCode`
  for (let i = 0; i < 60; i++)
    await Promise.all(Array.from({ length: 100 }, (_, k) => model.put({ [changed]: `${i}-${k}-${'x'.repeat(100)}` })))
  expect((await readFile(path)).length).toBeLessThan(400_000)
  // The process ends here.
  const again = await LocalModel.open(path, {})
  expect(await values(again, changed)).toEqual({ [changed]: `59-99-${'x'.repeat(100)}` })
  await Promise.all([model.close(), again.close()])
})

it('a table takes a thousand rows at most', async () => {
  const model = await LocalModel.open(path, SEED)
  const rows = (count: number) => Array.from({ length: count }, () => ({ table: SUBSCRIPTIONS, values: {} }))
  await model.add(rows(999), CONTROLLER)
  await expect(model.add(rows(2), CONTROLLER)).rejects.toMatchObject({ code: 7005 })
  expect(await model.instances(SUBSCRIPTIONS)).toHaveLength(999)
  await model.add(rows(1), CONTROLLER)
  await model.close()
})
