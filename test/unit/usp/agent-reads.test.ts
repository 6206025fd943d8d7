import { beforeEach, describe, expect, it, vi } from 'vitest'
import { FULL_ACCESS } from '../../../src/usp/agent/access/access.ts'
import { bootArguments } from '../../../src/usp/agent/boot.ts'
import { occurrencesOf } from '../../../src/usp/agent/changes.ts'
import { readControllers } from '../../../src/usp/agent/controller-rows.ts'
import { ModelReader } from '../../../src/usp/agent/model-reader.ts'
import { Notifier } from '../../../src/usp/agent/notifier.ts'
import { AgentRequests } from '../../../src/usp/agent/requests.ts'
import { RoleTable } from '../../../src/usp/agent/role-table.ts'
import { readSubscriptions } from '../../../src/usp/agent/subscriptions.ts'
import { BOOT, CONTROLLERS, gatewayModel, SUBSCRIPTIONS, settingsOf } from '../../support/agent-world.ts'
import type { MemoryAgentModel } from '../../support/memory-agent-model.ts'

const BY = { by: `${CONTROLLERS}1.`, access: FULL_ACCESS }
const MAPPINGS = 'Device.NAT.PortMapping.'
const SSID = 'Device.WiFi.SSID.1.SSID'

/** Every `get` of the port may be a round trip to a device: its number does not grow with the size of a request. */
describe('the model is asked for values a fixed number of times', () => {
  let model: MemoryAgentModel
  let requests: AgentRequests
  beforeEach(async () => {
    model = await gatewayModel()
    requests = new AgentRequests(model, () => ({}))
    await model.add(
      Array.from({ length: 20 }, (_, i) => mapping(i)),
      'a',
    )
  })

  const mapping = (i: number) => ({ table: MAPPINGS, values: { Description: `d${i}`, Enable: 'true' } })
  const rows = () => model.instances(MAPPINGS)

  /** Returns the number of calls of `get`, and of those of `instances` for the same table twice. */
  async function calls(work: () => Promise<unknown>): Promise<{ gets: number; repeated: number }> {
    const get = vi.spyOn(model, 'get')
    const instances = vi.spyOn(model, 'instances')
    await work()
    const tables = instances.mock.calls.map(([table]) => table)
    const counts = { gets: get.mock.calls.length, repeated: tables.length - new Set(tables).size }
    get.mockRestore()
    instances.mockRestore()
    return counts
  }

  const get = (...param_paths: string[]) => calls(() => requests.get({ param_paths, max_depth: 0 }, BY))

  it('for a Get: once, and once more for each level of searches', async () => {
    const plain = (await rows()).flatMap((row) => [`${row}Description`, row])
    expect(await get(...plain, 'Device.', `${MAPPINGS}*.Enable`)).toEqual({ gets: 1, repeated: 0 })
    const searches = Array.from({ length: 20 }, (_, i) => `${MAPPINGS}[Description=="d${i}"].Enable`)
    expect(await get(...searches, ...plain)).toEqual({ gets: 2, repeated: 0 })
    const both = 'Device.IP.Interface.[Name=="wan"].LowerLayers+.Name'
    expect(await get(both, both, ...searches)).toEqual({ gets: 3, repeated: 0 })
  })

  it('for GetInstances: once', async () => {
    const request = { obj_paths: [MAPPINGS, 'Device.WiFi.SSID.', 'Device.IP.Interface.'], first_level_only: false }
    expect(await calls(() => requests.instances(request, BY))).toEqual({ gets: 1, repeated: 0 })
  })

  it('for GetSupportedDM: never', async () => {
    const flags = { return_commands: true, return_events: true, return_params: true, return_unique_key_sets: true }
    const request = { obj_paths: ['Device.', MAPPINGS], first_level_only: false, ...flags }
    expect(await calls(() => requests.supportedModel(request, BY))).toEqual({ gets: 0, repeated: 0 })
  })

  it('for Set: before and after', async () => {
    const update_objs = (await rows()).map((obj_path) => ({
      obj_path,
      param_settings: settingsOf({ Enable: 'false' }),
    }))
    const all = { obj_path: `${MAPPINGS}*.`, param_settings: settingsOf({ Description: 'all' }) }
    const request = { allow_partial: false, update_objs: [...update_objs, all] }
    expect(await calls(() => requests.set(request, BY))).toEqual({ gets: 2, repeated: 0 })
  })

  it('for Add: the keys of the rows that are there, and those of the new ones', async () => {
    const create_objs = Array.from({ length: 20 }, () => ({ obj_path: MAPPINGS, param_settings: [] }))
    const request = { allow_partial: false, create_objs }
    expect(await calls(() => requests.add(request, BY))).toEqual({ gets: 2, repeated: 0 })
  })

  it('for Delete: never', async () => {
    const request = { allow_partial: false, obj_paths: await rows() }
    expect(await calls(() => requests.remove(request, BY))).toEqual({ gets: 0, repeated: 0 })
  })

  it('for a batch of changes: once for values and once for keys, whatever its size', async () => {
    const created = (await rows()).map((path) => ({ kind: 'created' as const, path }))
    const changed = ['Device.Time.Enable', SSID].map((path) => ({ kind: 'value' as const, path }))
    const work = async () => occurrencesOf(await ModelReader.of(model), [...created, ...changed])
    expect(await calls(work)).toEqual({ gets: 2, repeated: 0 })
  })

  it('at a start: Controllers, their MTPs, subscriptions, roles, arguments of Boot!', async () => {
    const controllers = await model.add(
      Array.from({ length: 5 }, (_, i) => ({ table: CONTROLLERS, values: { EndpointID: `proto::${i}` } })),
      'a',
    )
    const [first = ''] = controllers
    await model.add(
      controllers.map((row) => ({ table: `${row}MTP.`, values: { Protocol: 'WebSocket' } })),
      'a',
    )
    await model.add(
      [1, 2, 3].map((i) => ({ table: SUBSCRIPTIONS, values: { ID: `s${i}`, Enable: 'true' } })),
      'a',
    )
    const boots = ['Device.DeviceInfo.SerialNumber', SSID].map((ParameterName) => ({ ParameterName, Enable: 'true' }))
    await model.add(
      boots.map((values) => ({ table: `${first}BootParameter.`, values })),
      'a',
    )
    const reading = async (work: (reader: ModelReader) => Promise<unknown>) => work(await ModelReader.of(model))
    expect(await calls(() => reading(readControllers))).toEqual({ gets: 2, repeated: 0 })
    expect(await calls(() => reading(readSubscriptions))).toEqual({ gets: 1, repeated: 0 })
    expect(await calls(() => reading((reader) => bootArguments(reader, first, BOOT)))).toEqual({ gets: 2, repeated: 0 })
    const roles = new RoleTable(model, undefined)
    const access = () => Promise.all(controllers.map((row) => roles.accessOf(row)))
    expect(await calls(access)).toEqual({ gets: 1, repeated: 0 })
    expect(await calls(access)).toEqual({ gets: 0, repeated: 0 })
    const idle = new Notifier(model, roles, new Map())
    expect(await calls(() => idle.noteChanges([{ kind: 'value', path: SSID }]))).toEqual({ gets: 0, repeated: 0 })
  })
})

describe('a request that means the whole model again and again', () => {
  const again = Array.from({ length: 1000 }, () => 'Device.')
  const flags = { return_commands: true, return_events: true, return_params: true, return_unique_key_sets: true }

  it('is answered for as many of its paths as there is room for, and 7005 for the others', async () => {
    const requests = new AgentRequests(await gatewayModel(), () => ({}))
    const get = (await requests.get({ param_paths: again, max_depth: 0 }, BY)).req_path_results
    const tables = again.map(() => 'Device.WiFi.SSID.')
    const searches = again.map(() => 'Device.WiFi.SSID.*.')
    const rows = (await requests.instances({ obj_paths: tables, first_level_only: false }, BY)).req_path_results
    const found = (await requests.get({ param_paths: searches, max_depth: 1 }, BY)).req_path_results
    const supported = { obj_paths: again, first_level_only: false, ...flags }
    const model = (await requests.supportedModel(supported, BY)).req_obj_results
    for (const results of [get, model]) {
      expect(results).toHaveLength(1000)
      expect(results[0]).toMatchObject({ err_code: 0 })
      expect(results.at(-1)).toMatchObject({ err_code: 7005 })
    }
    // Small answers are not the trouble.
    for (const results of [rows, found]) expect(results).toHaveLength(1000)
  })
})
