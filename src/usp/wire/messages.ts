/** Bodies of USP Messages (TR-369 7), with the names of the wire. All parameter values are text. */

type Texts = Record<string, string>

export interface ParamError {
  param_path: string
  err_code: number
  err_msg: string
}
export interface ErrorBody {
  err_code: number
  err_msg: string
  param_errs: ParamError[]
}
export interface ParameterError {
  param: string
  err_code: number
  err_msg: string
}
interface Failure {
  err_code: number
  err_msg: string
}

export interface Get {
  param_paths: string[]
  max_depth: number
}
export interface GetResp {
  req_path_results: {
    requested_path: string
    err_code: number
    err_msg: string
    resolved_path_results: { resolved_path: string; result_params: Texts }[]
  }[]
}
export interface GetSupportedDM {
  obj_paths: string[]
  first_level_only: boolean
  return_commands: boolean
  return_events: boolean
  return_params: boolean
  return_unique_key_sets: boolean
}
export interface SupportedObject {
  supported_obj_path: string
  /** OBJ_READ_ONLY 0, OBJ_ADD_DELETE 1, OBJ_ADD_ONLY 2, OBJ_DELETE_ONLY 3. */
  access: number
  is_multi_instance: boolean
  supported_commands: {
    command_name: string
    input_arg_names: string[]
    output_arg_names: string[]
    command_type: number
  }[]
  supported_events: { event_name: string; arg_names: string[] }[]
  supported_params: { param_name: string; access: number; value_type: number; value_change: number }[]
  divergent_paths: string[]
  unique_key_sets: { key_names: string[] }[]
}
export interface GetSupportedDMResp {
  req_obj_results: {
    req_obj_path: string
    err_code: number
    err_msg: string
    data_model_inst_uri: string
    supported_objs: SupportedObject[]
  }[]
}
export interface GetInstances {
  obj_paths: string[]
  first_level_only: boolean
}
export interface GetInstancesResp {
  req_path_results: {
    requested_path: string
    err_code: number
    err_msg: string
    curr_insts: { instantiated_obj_path: string; unique_keys: Texts }[]
  }[]
}
interface GetSupportedProtocol {
  controller_supported_protocol_versions: string
}
interface GetSupportedProtocolResp {
  agent_supported_protocol_versions: string
}
export interface Setting {
  param: string
  value: string
  required: boolean
}
export interface Add {
  allow_partial: boolean
  create_objs: { obj_path: string; param_settings: Setting[] }[]
}
/** Exactly one of the two is there; neither, where an Agent leaves them or the status out. */
interface Status<S, F = Failure> {
  oper_failure?: F
  oper_success?: S
}
export interface AddResp {
  created_obj_results: {
    requested_path: string
    oper_status: Status<{ instantiated_path: string; param_errs: ParameterError[]; unique_keys: Texts }>
  }[]
}
export interface Delete {
  allow_partial: boolean
  obj_paths: string[]
}
export interface DeleteResp {
  deleted_obj_results: {
    requested_path: string
    oper_status: Status<{
      affected_paths: string[]
      unaffected_path_errs: { unaffected_path: string; err_code: number; err_msg: string }[]
    }>
  }[]
}
export interface Set_ {
  allow_partial: boolean
  update_objs: { obj_path: string; param_settings: Setting[] }[]
}
export interface SetResp {
  updated_obj_results: {
    requested_path: string
    oper_status: Status<
      { updated_inst_results: { affected_path: string; param_errs: ParameterError[]; updated_params: Texts }[] },
      Failure & { updated_inst_failures: { affected_path: string; param_errs: ParameterError[] }[] }
    >
  }[]
}
export interface Operate {
  command: string
  command_key: string
  send_resp: boolean
  input_args: Texts
}
export interface OperateResp {
  operation_results: {
    executed_command: string
    req_obj_path?: string
    req_output_args?: { output_args: Texts }
    cmd_failure?: Failure
  }[]
}
export interface Notify {
  subscription_id: string
  send_resp: boolean
  event?: { obj_path: string; event_name: string; params: Texts }
  value_change?: { param_path: string; param_value: string }
  obj_creation?: { obj_path: string; unique_keys: Texts }
  obj_deletion?: { obj_path: string }
  oper_complete?: {
    obj_path: string
    command_name: string
    command_key: string
    req_output_args?: { output_args: Texts }
    cmd_failure?: Failure
  }
  on_board_req?: {
    oui: string
    product_class: string
    serial_number: string
    agent_supported_protocol_versions: string
  }
}
interface NotifyResp {
  subscription_id: string
}
interface Register {
  allow_partial: boolean
  reg_paths: { path: string }[]
}
interface RegisterResp {
  registered_path_results: { requested_path: string; oper_status: Status<{ registered_path: string }> }[]
}
interface Deregister {
  paths: string[]
}
interface DeregisterResp {
  deregistered_path_results: { requested_path: string; oper_status: Status<{ deregistered_path: string[] }> }[]
}

/** Requests by the name of their member in Request, with the type number their Header carries. */
export interface Requests {
  get: Get
  get_supported_dm: GetSupportedDM
  get_instances: GetInstances
  set: Set_
  add: Add
  delete: Delete
  operate: Operate
  notify: Notify
  get_supported_protocol: GetSupportedProtocol
  register: Register
  deregister: Deregister
}
export interface Responses {
  get_resp: GetResp
  get_supported_dm_resp: GetSupportedDMResp
  get_instances_resp: GetInstancesResp
  set_resp: SetResp
  add_resp: AddResp
  delete_resp: DeleteResp
  operate_resp: OperateResp
  notify_resp: NotifyResp
  get_supported_protocol_resp: GetSupportedProtocolResp
  register_resp: RegisterResp
  deregister_resp: DeregisterResp
}
export type RequestName = keyof Requests
export type ResponseName = keyof Responses
/** The response that answers a request. */
export type ResponseNameOf<N extends RequestName> = `${N}_resp`

/** A USP Message taken apart. */
export type Msg =
  | { [N in RequestName]: { msgId: string; kind: 'request'; name: N; body: Requests[N] } }[RequestName]
  | { [N in ResponseName]: { msgId: string; kind: 'response'; name: N; body: Responses[N] } }[ResponseName]
  | { msgId: string; kind: 'error'; body: ErrorBody }

/** Header.MsgType by member name. */
export const MSG_TYPES: Readonly<Record<RequestName | ResponseName | 'error', number>> = {
  error: 0,
  get: 1,
  get_resp: 2,
  notify: 3,
  set: 4,
  set_resp: 5,
  operate: 6,
  operate_resp: 7,
  add: 8,
  add_resp: 9,
  delete: 10,
  delete_resp: 11,
  get_supported_dm: 12,
  get_supported_dm_resp: 13,
  get_instances: 14,
  get_instances_resp: 15,
  notify_resp: 16,
  get_supported_protocol: 17,
  get_supported_protocol_resp: 18,
  register: 19,
  register_resp: 20,
  deregister: 21,
  deregister_resp: 22,
}
