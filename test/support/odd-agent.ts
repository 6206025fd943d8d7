import type { DeviceIdentity } from '../../src/domain/index.ts'
import {
  type GetResp,
  type GetSupportedDM,
  type GetSupportedDMResp,
  type Msg,
  responseMsg,
  type SupportedObject,
} from '../../src/usp/wire/index.ts'
import type { AnyRequest } from './raw-agent.ts'

type Params = Record<string, string>
type Setting = { param: string; value: string; required: boolean }

const TABLE = 'Device.LocalAgent.Subscription.'
const CONTROLLERS = 'Device.LocalAgent.Controller.'

/** The differences of a device from one that has and does everything. */
export interface OddAgentQuirks {
  /** GetResp of 1.0: one entry with dotted names. */
  shape10?: boolean
  /** Search expressions are not understood (7008 for the path, or for the whole Message). */
  noExpressions?: 'path' | 'message'
  /** The code a row is refused with; undefined takes it. */
  refuseRow?(row: Params): number | undefined
  /** One bad row refuses the whole Add, whatever allow_partial says. */
  wholeAdd?: boolean
  /** Settings that cannot be made. */
  refuseSetting?: string
  /** Rows cannot be deleted. */
  keepsRows?: boolean
  /** Its Controller table has no OnBoardingComplete. */
  noOnBoardingComplete?: boolean
  /** The answer to GetSupportedDM of a path; undefined: not at all. */
  supported?(ask: GetSupportedDM): GetSupportedDMResp | number | undefined
}

/**
 * The objects that a Controller reads when it onboards an Agent: DeviceInfo, its own row and the Subscription table, from the
 * tables of TR-369 and TR-181.
 */
export class OddAgent {
  readonly identity: DeviceIdentity
  readonly controllerId: string
  readonly quirks: OddAgentQuirks
  softwareVersion = '1.0'
  /** Other Controllers stand before ours. */
  readonly controllers = new Map<number, Params>([[1, { EndpointID: 'self::another' }]])
  readonly subscriptions = new Map<number, Params>()
  #next = 1

  constructor(identity: DeviceIdentity, controllerId: string, quirks: OddAgentQuirks = {}) {
    this.identity = identity
    this.controllerId = controllerId
    this.quirks = quirks
    this.reset()
  }

  /** Our row and the subscriptions as they come from the factory. */
  reset(): void {
    this.subscriptions.clear()
    const complete = this.quirks.noOnBoardingComplete === true ? {} : { OnBoardingComplete: 'false' }
    this.controllers.set(2, { EndpointID: this.controllerId, PeriodicNotifInterval: '86400', ...complete })
  }

  /** A row that is there already; ours unless it says otherwise. */
  have(row: Params): number {
    const { quirks } = this
    const at = this.#next++
    this.subscriptions.set(at, { Recipient: `${CONTROLLERS}2`, Enable: 'true', NotifRetry: 'true', ...row })
    if (quirks.refuseRow?.(row) !== undefined) throw new Error('the device would not have taken this row')
    return at
  }

  ids(): string[] {
    return [...this.subscriptions.values()].map(({ ID }) => ID ?? '').sort()
  }

  answer(request: AnyRequest): Msg | undefined {
    const { msgId } = request
    const error = (err_code: number): Msg => ({
      msgId,
      kind: 'error',
      body: { err_code, err_msg: 'no', param_errs: [] },
    })
    switch (request.name) {
      case 'get':
        if (this.quirks.noExpressions === 'message' && request.body.param_paths.some((path) => path.includes('[')))
          return error(7008)
        return responseMsg(msgId, 'get_resp', {
          req_path_results: request.body.param_paths.map((path) => this.#get(path)),
        })
      case 'get_supported_protocol':
        return responseMsg(msgId, 'get_supported_protocol_resp', { agent_supported_protocol_versions: '1.0' })
      case 'get_supported_dm': {
        const answer = this.quirks.supported?.(request.body)
        if (answer === undefined) return undefined
        return typeof answer === 'number' ? error(answer) : responseMsg(msgId, 'get_supported_dm_resp', answer)
      }
      case 'get_instances':
        return responseMsg(msgId, 'get_instances_resp', { req_path_results: [] })
      case 'add': {
        const rows = request.body.create_objs.map(({ param_settings }) => param_settings)
        const refused = rows.map((settings) => this.quirks.refuseRow?.(paramsOf(settings))).find((code) => code)
        if (this.quirks.wholeAdd === true && refused !== undefined) return error(7004)
        return responseMsg(msgId, 'add_resp', { created_obj_results: rows.map((settings) => this.#add(settings)) })
      }
      case 'delete':
        return responseMsg(msgId, 'delete_resp', {
          deleted_obj_results: request.body.obj_paths.map((requested_path) => this.#delete(requested_path)),
        })
      case 'set':
        return responseMsg(msgId, 'set_resp', {
          updated_obj_results: request.body.update_objs.map(({ obj_path, param_settings }) =>
            this.#set(obj_path, param_settings),
          ),
        })
      default:
        return undefined
    }
  }

  #get(requested_path: string): GetResp['req_path_results'][number] {
    const ok = (rows: [string, Params][]) => ({
      requested_path,
      err_code: 0,
      err_msg: '',
      resolved_path_results: rows.map(([resolved_path, result_params]) => ({ resolved_path, result_params })),
    })
    const { oui, productClass, serial } = this.identity
    const info: Params = {
      ManufacturerOUI: oui,
      ProductClass: productClass,
      SerialNumber: serial,
      Manufacturer: 'Acme',
      ModelName: 'Box',
      SoftwareVersion: this.softwareVersion,
    }
    if (requested_path === 'Device.DeviceInfo.') return ok([[requested_path, info]])
    const name = /^Device\.DeviceInfo\.(\w+)$/.exec(requested_path)?.[1]
    if (name !== undefined) return ok([['Device.DeviceInfo.', { [name]: info[name] ?? '' }]])
    const wanted = /^Device\.LocalAgent\.Controller\.\[EndpointID=="(.*)"\]\.$/.exec(requested_path)?.[1]
    if (wanted !== undefined && this.quirks.noExpressions === undefined)
      return ok(rowsOf(CONTROLLERS, this.controllers).filter(([, row]) => row.EndpointID === wanted))
    if (requested_path === `${CONTROLLERS}*.EndpointID`) return ok(rowsOf(CONTROLLERS, this.controllers))
    if (requested_path === `${TABLE}*.`) return ok(rowsOf(TABLE, this.subscriptions))
    return { requested_path, err_code: wanted === undefined ? 7026 : 7008, err_msg: 'no', resolved_path_results: [] }
  }

  #add(settings: Setting[]) {
    const params = paramsOf(settings)
    const twin = [...this.subscriptions.values()].some(
      ({ ID, Recipient }) => ID === params.ID && Recipient === `${CONTROLLERS}2`,
    )
    const bad = settings.find(({ param }) => param === this.quirks.refuseSetting)
    const code = twin ? 7025 : bad?.required === true ? 7021 : this.quirks.refuseRow?.(params)
    if (code !== undefined)
      return { requested_path: TABLE, oper_status: { oper_failure: { err_code: code, err_msg: 'refused' } } }
    if (bad !== undefined) delete params[bad.param]
    const at = this.have(params)
    const param_errs = bad === undefined ? [] : [{ param: bad.param, err_code: 7013, err_msg: 'never' }]
    const oper_success = { instantiated_path: `${TABLE}${at}.`, param_errs, unique_keys: {} }
    return { requested_path: TABLE, oper_status: { oper_success } }
  }

  #delete(requested_path: string) {
    if (this.quirks.keepsRows === true)
      return { requested_path, oper_status: { oper_failure: { err_code: 7006, err_msg: 'kept' } } }
    this.subscriptions.delete(Number(requested_path.slice(TABLE.length, -1)))
    return {
      requested_path,
      oper_status: { oper_success: { affected_paths: [requested_path], unaffected_path_errs: [] } },
    }
  }

  #set(requested_path: string, settings: Setting[]) {
    const [table, rows] = requested_path.startsWith(TABLE)
      ? ([TABLE, this.subscriptions] as const)
      : ([CONTROLLERS, this.controllers] as const)
    const row = rows.get(Number(requested_path.slice(table.length, -1)))
    if (row !== undefined) Object.assign(row, paramsOf(settings))
    const updated = { affected_path: requested_path, param_errs: [], updated_params: paramsOf(settings) }
    return { requested_path, oper_status: { oper_success: { updated_inst_results: [updated] } } }
  }
}

function paramsOf(settings: Setting[]): Params {
  return Object.fromEntries(settings.map(({ param, value }) => [param, value]))
}

function rowsOf(table: string, rows: Map<number, Params>): [string, Params][] {
  return [...rows].map(([at, params]) => [`${table}${at}.`, params])
}

/** An object as GetSupportedDMResp describes it. */
export function supportedObject(
  path: string,
  has: { params?: string[]; events?: string[]; divergent?: string[] } = {},
): SupportedObject {
  return {
    supported_obj_path: path,
    access: 0,
    is_multi_instance: path.endsWith('{i}.'),
    supported_commands: [],
    supported_events: (has.events ?? []).map((event_name) => ({ event_name, arg_names: [] })),
    supported_params: (has.params ?? []).map((param_name) => ({
      param_name,
      access: 0,
      value_type: 8,
      value_change: 1,
    })),
    divergent_paths: has.divergent ?? [],
    unique_key_sets: [],
  }
}

/** A GetSupportedDMResp of one path. */
export function described(req_obj_path: string, supported_objs: SupportedObject[], err_code = 0): GetSupportedDMResp {
  return {
    req_obj_results: [
      { req_obj_path, err_code, err_msg: err_code === 0 ? '' : 'no', data_model_inst_uri: '', supported_objs },
    ],
  }
}
