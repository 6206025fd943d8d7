import { errorText } from '../../base/index.ts'
import { type Msg, SUPPORTED_VERSIONS } from '../wire/index.ts'
import { AgentError } from './agent-error.ts'
import type { AgentCommands } from './commands.ts'
import { RequestRefused } from './request-refused.ts'
import type { Requester } from './requester.ts'
import type { AgentRequests } from './requests.ts'
import type { RoleTable } from './role-table.ts'

export type AgentRequest = Extract<Msg, { kind: 'request' }>

/** The answer to a request, and the work that begins when it is on its way. */
interface Answer {
  /** Undefined: none is wanted. */
  msg: Msg | undefined
  afterwards: readonly (() => void)[]
}

/** Answers the requests of Controllers, each with its rights (TR-369 7). */
export class Answering {
  readonly #roles: RoleTable
  readonly #requests: AgentRequests
  readonly #commands: AgentCommands

  constructor(roles: RoleTable, requests: AgentRequests, commands: AgentCommands) {
    this.#roles = roles
    this.#requests = requests
    this.#commands = commands
  }

  /** Resolves with the answer to a request of the Controller of a row; never rejects. */
  async answer(request: AgentRequest, controller: string): Promise<Answer> {
    try {
      return await this.#handle(request, controller)
    } catch (error) {
      const err_code = error instanceof RequestRefused || error instanceof AgentError ? error.code : 7003
      const param_errs = error instanceof RequestRefused ? error.errors : []
      const body = { err_code, err_msg: errorText(error), param_errs }
      return { msg: { msgId: request.msgId, kind: 'error', body }, afterwards: [] }
    }
  }

  async #handle(request: AgentRequest, controller: string): Promise<Answer> {
    const respond = (name: string, body: unknown): Answer => ({
      msg: { msgId: request.msgId, kind: 'response', name, body } as Msg,
      afterwards: [],
    })
    const requester = async (): Promise<Requester> => ({
      by: controller,
      access: await this.#roles.accessOf(controller),
    })
    switch (request.name) {
      case 'get':
        return respond('get_resp', await this.#requests.get(request.body, await requester()))
      case 'get_instances':
        return respond('get_instances_resp', await this.#requests.instances(request.body, await requester()))
      case 'get_supported_dm':
        return respond('get_supported_dm_resp', await this.#requests.supportedModel(request.body, await requester()))
      case 'get_supported_protocol':
        return respond('get_supported_protocol_resp', { agent_supported_protocol_versions: SUPPORTED_VERSIONS })
      case 'set':
        return respond('set_resp', await this.#requests.set(request.body, await requester()))
      case 'add':
        return respond('add_resp', await this.#requests.add(request.body, await requester()))
      case 'delete':
        return respond('delete_resp', await this.#requests.remove(request.body, await requester()))
      case 'operate': {
        const roles = await this.#roles.namesOf(controller)
        const by = { ...(await requester()), roles }
        const { response, afterwards } = await this.#commands.operate(request.body, by)
        return { ...(request.body.send_resp ? respond('operate_resp', response) : { msg: undefined }), afterwards }
      }
      default:
        // Register, Deregister and Notify go from an Agent to a Controller.
        throw new RequestRefused(7001, 'Message not supported')
    }
  }
}
