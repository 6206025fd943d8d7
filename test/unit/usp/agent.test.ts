import { beforeEach, describe, expect, it } from 'vitest'
import { FaultyModel } from '../../../src/simulator/faulty-model.ts'
import { dualStackGateway, loadPresetModels } from '../../../src/simulator/index.ts'
import { FULL_ACCESS } from '../../../src/usp/agent/access/access.ts'
import { RequestRefused } from '../../../src/usp/agent/request-refused.ts'
import { AgentRequests } from '../../../src/usp/agent/requests.ts'
import { TreeModel } from '../../../src/usp/agent/tree-model.ts'
import type { AgentModel } from '../../../src/usp/index.ts'
import type { Setting } from '../../../src/usp/wire/index.ts'
import { MemoryAgentModel } from '../../support/memory-agent-model.ts'

const MODELS = loadPresetModels()
const FACTS = {
  manufacturer: 'Acme',
  oui: '00256D',
  productClass: 'Box',
  serial: 'S1',
  modelName: 'H1',
  hardwareVersion: '1',
  softwareVersion: '1.0',
}
const SSID = 'Device.WiFi.SSID.1.'
const RADIO = 'Device.WiFi.Radio.1.'
const TABLE = 'Device.NAT.PortMapping.'
const BY = { by: 'Device.LocalAgent.Controller.1.', access: FULL_ACCESS }

interface Subject {
  model: AgentModel
  /** Sets a value as the device itself does. */
  put(path: string, value: string): void
}

function tree(): { model: TreeModel; put: Subject['put'] } {
  const { usp } = dualStackGateway(FACTS, 'os::00256D-S1', MODELS)
  const model = new TreeModel(usp, async () => ({ done: Promise.resolve({ output: {} }) }))
  return { model, put: (path, value) => usp.tree.put(path, value) }
}

async function memory(): Promise<Subject> {
  const model = await MemoryAgentModel.copyOf(tree().model)
  return { model, put: (path, value) => model.put(path, value) }
}

const needed = (param: string, value: string): Setting => ({ param, value, required: true })
const wished = (param: string, value: string): Setting => ({ param, value, required: false })

/** The Error that the whole request is answered with. */
async function refusalOf(work: Promise<unknown>): Promise<{ code: number; errors: [string, number][] }> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error
    return { code: error.code, errors: error.errors.map(({ param_path, err_code }) => [param_path, err_code]) }
  }
  throw new Error('the request was not refused')
}

describe.each([
  ['a simulated tree', async (): Promise<Subject> => tree()],
  ['a device that takes its time', memory],
])('over %s', (_model, make) => {
  let model: AgentModel
  let put: Subject['put']
  let agent: AgentRequests
  beforeEach(async () => {
    ;({ model, put } = await make())
    agent = new AgentRequests(model, () => ({}))
  })

  const value = async (path: string) => (await model.get([path])).get(path)
  const addRow = async (...settings: Setting[]): Promise<string> => {
    const { created_obj_results } = await agent.add(
      { allow_partial: false, create_objs: [{ obj_path: TABLE, param_settings: settings }] },
      BY,
    )
    const row = created_obj_results[0]?.oper_status.oper_success?.instantiated_path
    if (row === undefined) throw new Error('no row was added')
    return row
  }

  describe('Get', () => {
    const get = async (path: string, max_depth = 0) => {
      const [result] = (await agent.get({ param_paths: [path], max_depth }, BY)).req_path_results
      if (result === undefined) throw new Error('no result')
      return result
    }
    const found = async (path: string) =>
      (await get(path)).resolved_path_results.map(({ resolved_path, result_params }) => [resolved_path, result_params])

    it('answers a parameter under its object, and only that one', async () => {
      expect(await get(`${SSID}SSID`)).toEqual({
        requested_path: `${SSID}SSID`,
        err_code: 0,
        err_msg: '',
        resolved_path_results: [{ resolved_path: SSID, result_params: { SSID: 'H1-5G' } }],
      })
    })

    it('answers an object with an entry for it and for each below it, names without dots', async () => {
      const results = (await get('Device.WiFi.')).resolved_path_results
      expect(results.map(({ resolved_path }) => resolved_path)).toEqual([
        'Device.WiFi.',
        'Device.WiFi.AccessPoint.1.',
        'Device.WiFi.AccessPoint.1.Security.',
        RADIO,
        SSID,
      ])
      const names = results.flatMap(({ result_params }) => Object.keys(result_params))
      expect(names.filter((name) => name.includes('.'))).toEqual([])
    })

    it.each([
      [1, ['Device.WiFi.']],
      [2, ['Device.WiFi.', 'Device.WiFi.AccessPoint.1.', RADIO, SSID]],
      [3, ['Device.WiFi.', 'Device.WiFi.AccessPoint.1.', 'Device.WiFi.AccessPoint.1.Security.', RADIO, SSID]],
    ])('goes %i levels deep', async (depth, paths) => {
      expect(
        (await get('Device.WiFi.', depth)).resolved_path_results.map(({ resolved_path }) => resolved_path),
      ).toEqual(paths)
    })

    it.each([
      ['a parameter that the model does not have', `${SSID}Nope`, 7026],
      ['an object that the model does not have', 'Device.Nope.', 7026],
      ['a parameter of an instance that is not there', 'Device.WiFi.SSID.9.SSID', 7026],
      ['an instance that is not there', 'Device.WiFi.SSID.9.', 7026],
      ['a wildcard in what is no table', 'Device.DeviceInfo.*.', 7026],
      ['a search below what the model does not have', 'Device.Nope.*.', 7026],
      ['a search for a parameter that the model does not have', 'Device.WiFi.SSID.*.Nope', 7026],
      ['the same in a table without rows', `${TABLE}*.Nope`, 7026],
      ['a command', 'Device.Reboot()', 7026],
      ['a search that compares nothing', 'Device.WiFi.SSID.[SSID==].', 7008],
      ['an empty search', 'Device.WiFi.SSID.[].', 7008],
      ['a path of the supported model', 'Device.WiFi.SSID.{i}.SSID', 7008],
      ['two dots', 'Device..WiFi.', 7008],
    ])('says what is wrong with %s', async (_name, path, code) => {
      expect(await get(path)).toMatchObject({
        err_code: code,
        err_msg: expect.stringMatching(/./),
        resolved_path_results: [],
      })
    })

    it.each([
      ['a table without rows', TABLE],
      ['a search in a table without rows', `${TABLE}*.`],
      ['a parameter by a search in a table without rows', `${TABLE}*.ExternalPort`],
      ['a search that nothing fits', 'Device.WiFi.SSID.[SSID=="nobody"].SSID'],
    ])('finds nothing in %s, which is no error', async (_name, path) => {
      expect(await get(path)).toMatchObject({ err_code: 0, resolved_path_results: [] })
    })

    it.each([
      ['Device.Ethernet.Interface.*.Name', ['eth0', 'eth1']],
      ['Device.Ethernet.Interface.[Upstream==true].Name', ['eth0']],
      ['Device.Ethernet.Interface.[Upstream==1].Name', ['eth0']],
      ['Device.Ethernet.Interface.[Enable==true&&Name=="eth1"].Name', ['eth1']],
      ['Device.Ethernet.Interface.[Name!="eth1"].Name', ['eth0']],
      ['Device.WiFi.Radio.[Channel>=36].Name', ['radio0']],
      ['Device.WiFi.Radio.[Channel>36].Name', []],
      ['Device.WiFi.Radio.[Channel<36].Name', []],
      ['Device.WiFi.Radio.[Channel<=100].Name', ['radio0']],
      ['Device.WiFi.AccessPoint.[Security.ModesSupported~="WPA3-Personal"].Alias', ['cpe-1']],
      ['Device.WiFi.AccessPoint.[Security.ModesSupported~="WPA3"].Alias', []],
      ['Device.IP.Interface.1.LowerLayers+.Name', ['eth0']],
    ])('searches with %s', async (path, wanted) => {
      expect((await found(path)).flatMap(([, params]) => Object.values(params ?? {}))).toEqual(wanted)
    })

    it('answers each path for itself', async () => {
      const paths = ['Device.Nope.', `${SSID}SSID`, 'x..y']
      const codes = (await agent.get({ param_paths: paths, max_depth: 0 }, BY)).req_path_results.map(
        ({ err_code }) => err_code,
      )
      expect(codes).toEqual([7026, 0, 7008])
    })

    it('shows no secret', async () => {
      put('Device.WiFi.AccessPoint.1.Security.KeyPassphrase', 'secret')
      expect(JSON.stringify(await get('Device.WiFi.'))).not.toContain('secret')
    })
  })

  describe('GetInstances', () => {
    const instances = async (path: string, first_level_only = true) =>
      (await agent.instances({ obj_paths: [path], first_level_only }, BY)).req_path_results[0]

    it('answers rows with their unique keys, of nested tables only when asked', async () => {
      expect((await instances('Device.IP.Interface.'))?.curr_insts).toEqual([
        { instantiated_obj_path: 'Device.IP.Interface.1.', unique_keys: { Alias: 'cpe-1', Name: 'wan' } },
      ])
      const all = (await instances('Device.IP.Interface.', false))?.curr_insts.map((row) => row.instantiated_obj_path)
      expect(all).toEqual(['Device.IP.Interface.1.', 'Device.IP.Interface.1.IPv4Address.1.'])
      expect((await instances('Device.IP.Interface.*.IPv4Address.'))?.curr_insts).toHaveLength(1)
    })

    it.each([
      ['what is no table', 'Device.DeviceInfo.', 7018],
      ['a row', SSID, 7018],
      ['a parameter', `${SSID}SSID`, 7008],
      ['what the model does not have', 'Device.Nope.', 7026],
      ['a table of a row that is not there', 'Device.IP.Interface.9.IPv4Address.', 7016],
      ['a table without rows', TABLE, 0],
    ])('answers %s with its code', async (_name, path, code) => {
      expect(await instances(path)).toMatchObject({ err_code: code, curr_insts: [] })
    })
  })

  describe('Set', () => {
    const set = async (allow_partial: boolean, ...update_objs: [string, Setting[]][]) => {
      const updates = update_objs.map(([obj_path, param_settings]) => ({ obj_path, param_settings }))
      return (await agent.set({ allow_partial, update_objs: updates }, BY)).updated_obj_results
    }

    it('that works answers the values after it, unchanged ones too', async () => {
      const settings = [needed('SSID', 'new'), wished('Enable', '1')]
      const updated_params = { SSID: 'new', Enable: 'true' }
      expect(await set(false, [SSID, settings])).toEqual([
        {
          requested_path: SSID,
          oper_status: {
            oper_success: { updated_inst_results: [{ affected_path: SSID, param_errs: [], updated_params }] },
          },
        },
      ])
      expect(await value(`${SSID}SSID`)).toBe('new')
    })

    it.each([true, false])(
      'with a wished parameter that fails is a success beside the error (partial %s)',
      async (partial) => {
        const [result] = await set(partial, [
          SSID,
          [needed('SSID', 'new'), wished('Nope', '1'), wished('Enable', 'maybe')],
        ])
        expect(result?.oper_status.oper_success?.updated_inst_results).toMatchObject([
          {
            param_errs: [
              { param: 'Nope', err_code: 7010 },
              { param: 'Enable', err_code: 7011 },
            ],
            updated_params: { SSID: 'new' },
          },
        ])
        expect(await value(`${SSID}SSID`)).toBe('new')
      },
    )

    it('with a required parameter that fails leaves that object alone and goes on with the others, when partial', async () => {
      const [first, second] = await set(
        true,
        [SSID, [wished('SSID', 'new'), needed('Status', 'Up')]],
        [RADIO, [needed('Channel', '40')]],
      )
      expect(first?.oper_status).toMatchObject({
        oper_failure: {
          err_code: 7021,
          updated_inst_failures: [{ affected_path: SSID, param_errs: [{ param: 'Status', err_code: 7013 }] }],
        },
      })
      expect(second?.oper_status.oper_success).toBeDefined()
      expect([await value(`${SSID}SSID`), await value(`${RADIO}Channel`)]).toEqual(['H1-5G', '40'])
    })

    it('with a required parameter that fails is an Error that names it and changes nothing, when not partial', async () => {
      const refused = await refusalOf(
        set(false, [RADIO, [needed('Channel', '40')]], [SSID, [needed('SSID', 'new'), needed('Nope', '1')]]),
      )
      expect(refused).toEqual({ code: 7004, errors: [[`${SSID}Nope`, 7010]] })
      expect([await value(`${SSID}SSID`), await value(`${RADIO}Channel`)]).toEqual(['H1-5G', '36'])
    })

    it('on a search is for all that fit or for none, also when partial', async () => {
      const [first, second] = ['Device.Ethernet.Interface.1.', 'Device.Ethernet.Interface.2.']
      await set(false, ['Device.Ethernet.Interface.*.', [needed('Enable', 'false')]])
      expect([await value(`${first}Enable`), await value(`${second}Enable`)]).toEqual(['false', 'false'])
      const reject = { pattern: 'Interface\\.2\\.Enable', code: 7012 }
      agent = new AgentRequests(new FaultyModel(model, { rejectWrites: reject }), () => ({}))
      const [result] = await set(true, ['Device.Ethernet.Interface.*.', [needed('Enable', 'true')]])
      expect(result?.oper_status.oper_failure?.updated_inst_failures.length).toBeGreaterThanOrEqual(1)
      expect([await value(`${first}Enable`), await value(`${second}Enable`)]).toEqual(['false', 'false'])
    })

    it('on a search that nothing fits is an empty success', async () => {
      const [result] = await set(false, [`${TABLE}*.`, [needed('ExternalPort', '1')]])
      expect(result?.oper_status).toEqual({ oper_success: { updated_inst_results: [] } })
    })

    it.each([
      ['an instance that is not there', 'Device.WiFi.SSID.9.', 7016],
      ['what the model does not have', 'Device.Nope.', 7026],
      ['a parameter', `${SSID}SSID`, 7008],
      ['no path', 'Device..', 7008],
    ])('on %s is refused: by an Error, or alone when partial', async (_name, path, code) => {
      const settings = [wished('SSID', 'new')]
      expect(await refusalOf(set(false, [path, settings]))).toEqual({ code: 7004, errors: [[path, code]] })
      expect((await set(true, [path, settings]))[0]?.oper_status).toMatchObject({ oper_failure: { err_code: code } })
      expect(await value(`${SSID}SSID`)).toBe('H1-5G')
    })
  })

  describe('Add', () => {
    const add = async (allow_partial: boolean, ...create_objs: [string, Setting[]][]) => {
      const creates = create_objs.map(([obj_path, param_settings]) => ({ obj_path, param_settings }))
      return (await agent.add({ allow_partial, create_objs: creates }, BY)).created_obj_results
    }

    it('answers the row and its unique keys, invented ones too', async () => {
      const [result] = await add(false, [TABLE, [needed('ExternalPort', '8080')]])
      expect(result).toMatchObject({
        requested_path: TABLE,
        oper_status: {
          oper_success: {
            instantiated_path: `${TABLE}1.`,
            param_errs: [],
            unique_keys: { Alias: 'cpe-1', ExternalPort: '8080' },
          },
        },
      })
      expect(await value('Device.NAT.PortMappingNumberOfEntries')).toBe('1')
    })

    it('with a wished parameter that fails makes the row without it, and says so', async () => {
      const [result] = await add(false, [
        TABLE,
        [wished('Nope', '1'), wished('Description', 'd'), wished('Enable', 'maybe')],
      ])
      expect(result?.oper_status.oper_success?.param_errs).toMatchObject([
        { param: 'Nope', err_code: 7010 },
        { param: 'Enable', err_code: 7011 },
      ])
      expect(await value(`${TABLE}1.Description`)).toBe('d')
    })

    it.each([
      ['a required parameter', needed('Nope', '1')],
      ['a unique key, which counts as required', wished('ExternalPort', 'many')],
    ])('with %s that fails makes no row', async (_name, wrong) => {
      const { code, errors } = await refusalOf(add(false, [TABLE, []], [TABLE, [wrong]]))
      expect([code, errors[0]?.[1]]).toEqual([7004, 7021])
      expect(await model.instances(TABLE)).toEqual([])
      const [good, bad] = await add(true, [TABLE, []], [TABLE, [wrong]])
      expect(good?.oper_status.oper_success?.instantiated_path).toBe(`${TABLE}1.`)
      expect(bad?.oper_status).toMatchObject({ oper_failure: { err_code: 7021 } })
      expect(await model.instances(TABLE)).toEqual([`${TABLE}1.`])
    })

    it.each([
      ['what the model does not have', 'Device.Nope.', 7026],
      ['what is no table', 'Device.DeviceInfo.', 7018],
      ['a table whose rows come by themselves', 'Device.Hosts.Host.', 7019],
      ['a table of a row that is not there', 'Device.IP.Interface.9.IPv4Address.', 7016],
      ['a path without its dot', 'Device.NAT.PortMapping', 7008],
    ])('to %s is refused', async (_name, path, code) => {
      expect(await refusalOf(add(false, [path, []]))).toEqual({ code: 7004, errors: [[path, code]] })
      expect((await add(true, [path, []]))[0]).toMatchObject({ oper_status: { oper_failure: { err_code: code } } })
    })

    it('with a unique key that a row has is refused, also when the row is of the same request', async () => {
      await addRow(wished('Alias', 'mine'))
      const alias = (name: string): [string, Setting[]] => [TABLE, [wished('Alias', name)]]
      expect((await refusalOf(add(false, alias('mine')))).errors).toEqual([[TABLE, 7025]])
      expect((await refusalOf(add(false, alias('twin'), alias('twin')))).errors).toEqual([[TABLE, 7025]])
      expect(await model.instances(TABLE)).toHaveLength(1)
    })

    it('with a unique key that a row has is refused also where a part of the key is not given: it has its default', async () => {
      const mapping = (port: string): [string, Setting[]] => [
        TABLE,
        [wished('ExternalPort', port), wished('Protocol', 'TCP')],
      ]
      await add(false, mapping('8080'))
      expect((await refusalOf(add(false, mapping('8080')))).errors).toEqual([[TABLE, 7025]])
      expect((await refusalOf(add(false, mapping('8081'), mapping('8081')))).errors).toEqual([[TABLE, 7025]])
      expect(await model.instances(TABLE)).toHaveLength(1)
      await add(false, mapping('8081'), [TABLE, []], [TABLE, []])
    })

    it('never gives an instance number twice', async () => {
      const row = await addRow()
      await agent.remove({ allow_partial: false, obj_paths: [row] }, BY)
      expect(await addRow()).not.toBe(row)
    })
  })

  describe('Delete', () => {
    const remove = async (allow_partial: boolean, ...obj_paths: string[]) =>
      (await agent.remove({ allow_partial, obj_paths }, BY)).deleted_obj_results

    it('takes rows away, by path or by search', async () => {
      const rows = [await addRow(), await addRow(), await addRow(wished('Alias', 'mine'))]
      expect((await remove(false, rows[0] ?? ''))[0]?.oper_status.oper_success?.affected_paths).toEqual([rows[0]])
      expect((await remove(false, `${TABLE}[Alias=="mine"].`))[0]?.oper_status.oper_success?.affected_paths).toEqual([
        rows[2],
      ])
      expect(await model.instances(TABLE)).toEqual([rows[1]])
    })

    it.each([false, true])('by a search that nothing fits is an empty success (partial %s)', async (partial) => {
      expect((await remove(partial, `${TABLE}*.`))[0]?.oper_status.oper_success).toMatchObject({ affected_paths: [] })
    })

    it('of a row that is not there is an Error, or an empty success when partial', async () => {
      const path = `${TABLE}9.`
      expect(await refusalOf(remove(false, path))).toEqual({ code: 7004, errors: [[path, 7016]] })
      expect((await remove(true, path))[0]?.oper_status.oper_success).toMatchObject({ affected_paths: [] })
    })

    it.each([
      ['a table', TABLE, 7024],
      ['an object that is always there', 'Device.DeviceInfo.', 7024],
      ['a row that comes by itself', 'Device.Hosts.Host.1.', 7024],
      ['a parameter of a row', `${SSID}SSID`, 7008],
      ['what the model does not have', 'Device.Nope.1.', 7026],
    ])('of %s is refused', async (_name, path, code) => {
      const row = await addRow()
      expect(await refusalOf(remove(false, row, path))).toEqual({ code: 7004, errors: [[path, code]] })
      expect(await model.instances(TABLE)).toEqual([row])
      const [good, bad] = await remove(true, row, path)
      expect(good?.oper_status.oper_success?.affected_paths).toEqual([row])
      expect(bad?.oper_status).toMatchObject({ oper_failure: { err_code: code } })
      expect(await model.instances('Device.WiFi.SSID.')).toEqual([SSID])
    })
  })
})
