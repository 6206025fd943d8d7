import { describe, expect, it } from 'vitest'
import { ModelReader } from '../../../src/usp/agent/model-reader.ts'
import { supportedModel } from '../../../src/usp/agent/supported-model.ts'
import { TreeModel } from '../../../src/usp/agent/tree-model.ts'
import { makeDevice } from '../../support/simulated-device.ts'

const { device } = makeDevice('dualStack')
const model = new TreeModel(device.usp!, async () => ({ done: Promise.resolve({ output: {} }) }))
const flags = { return_commands: true, return_events: true, return_params: true, return_unique_key_sets: true }
async function ask(path: string, first_level_only = false, over: Partial<typeof flags> = {}) {
  const request = { obj_paths: [path], first_level_only, ...flags, ...over }
  return (await supportedModel(await ModelReader.of(model), request)).req_obj_results[0]!
}

describe('GetSupportedDM', () => {
  it('of the root answers every object once, with its kind and the model it is of', async () => {
    const { err_code, data_model_inst_uri, supported_objs } = await ask('Device.')
    expect([err_code, data_model_inst_uri]).toEqual([0, expect.stringMatching(/^urn:broadband-forum-org:tr-181-2-/)])
    const paths = supported_objs.map((object) => object.supported_obj_path)
    expect(new Set(paths).size).toBe(paths.length)
    expect(paths).toEqual(
      expect.arrayContaining(['Device.', 'Device.LocalAgent.Subscription.{i}.', 'Device.WiFi.SSID.{i}.']),
    )
    expect(
      paths.some((path) => path.startsWith('Device.USPAgent.') || path.startsWith('Device.ManagementServer.')),
    ).toBe(false)
  })

  it.each(['Device.NAT.PortMapping.{i}.', 'Device.NAT.PortMapping.'])(
    'takes %s, with {i}. or without',
    async (path) => {
      const [object] = (await ask(path)).supported_objs
      expect(object).toMatchObject({
        supported_obj_path: 'Device.NAT.PortMapping.{i}.',
        is_multi_instance: true,
        access: 1,
      })
      expect(object?.unique_key_sets.map(({ key_names }) => key_names)).toContainEqual(['Alias'])
      expect(object?.supported_params.find(({ param_name }) => param_name === 'ExternalPort')).toEqual({
        param_name: 'ExternalPort',
        access: 1,
        value_type: 9,
        value_change: 1,
      })
    },
  )

  it('shows immediate children bare when only the first level is asked for', async () => {
    const { supported_objs } = await ask('Device.LocalAgent.', true)
    const [own, ...children] = supported_objs
    expect(own?.supported_events.map(({ event_name }) => event_name)).toContain('Periodic!')
    expect(children.map((object) => object.supported_obj_path)).toContain('Device.LocalAgent.Controller.{i}.')
    expect(children.map((object) => object.supported_obj_path)).not.toContain(
      'Device.LocalAgent.Controller.{i}.MTP.{i}.',
    )
    const keys = children.find((object) => object.supported_obj_path === 'Device.LocalAgent.Controller.{i}.')
    expect(keys?.unique_key_sets.map(({ key_names }) => key_names)).toContainEqual(['EndpointID'])
    for (const child of children)
      expect([child.supported_params, child.supported_commands, child.supported_events]).toEqual([[], [], []])
  })

  it('leaves out what is not asked for', async () => {
    const none = { return_commands: false, return_events: false, return_params: false, return_unique_key_sets: false }
    const [object] = (await ask('Device.LocalAgent.Controller.{i}.', false, none)).supported_objs
    expect(object).toMatchObject({ supported_params: [], supported_commands: [], unique_key_sets: [] })
  })

  it.each([
    ['Device.DeviceInfo.SerialNumber', 'supported_params'],
    ['Device.Reboot()', 'supported_commands'],
    ['Device.Boot!', 'supported_events'],
  ] as const)('of %s alone answers nothing but that (1.4)', async (path, where) => {
    const { supported_objs } = await ask(path)
    const [object] = supported_objs
    expect(supported_objs).toHaveLength(1)
    expect(object?.[where]).toHaveLength(1)
    const all = [object?.supported_params, object?.supported_commands, object?.supported_events].flat()
    expect(all).toHaveLength(1)
  })

  it('says that UpTime is not told as a change', async () => {
    const [object] = (await ask('Device.DeviceInfo.UpTime')).supported_objs
    expect(object?.supported_params).toMatchObject([{ value_change: 2 }])
  })

  it.each([
    ['Device.Nope.', 7026],
    ['Device.DeviceInfo.Nope', 7026],
    ['Device.Wi', 7026],
    ['Device.WiFi.SSID.9.', 7016],
    ['Device.WiFi.SSID.*.', 7008],
    ['Device.LocalAgent.Controller.{i}.MTP.1.', 7008],
    ['Device..', 7008],
    ['', 7008],
  ])('of %j is an error of that path', async (path, code) => {
    expect(await ask(path)).toMatchObject({ req_obj_path: path, err_code: code, supported_objs: [] })
  })
})
