import type {
  Add,
  AddResp,
  Delete,
  DeleteResp,
  Get,
  GetInstances,
  GetInstancesResp,
  GetResp,
  GetSupportedDM,
  GetSupportedDMResp,
  Set_,
  SetResp,
} from '../wire/index.ts'
import { addRows } from './adding.ts'
import type { AgentModel } from './agent-model.ts'
import { deleteRows } from './deleting.ts'
import { ModelReader } from './model-reader.ts'
import type { OwnValues } from './own-values.ts'
import { readInstances, readParameters } from './reading.ts'
import type { Requester } from './requester.ts'
import { setValues } from './setting.ts'
import { supportedModel } from './supported-model.ts'

/**
 * Answers the requests on the data model (TR-369 7.4 and 7.5) over an AgentModel, with the rights of the Controller
 * that asks. A request that fails as a whole rejects with RequestRefused.
 */
export class AgentRequests {
  readonly #model: AgentModel
  readonly #ownValues: OwnValues
  readonly #betweenParts: () => Promise<void>

  /** `betweenParts` does what may be done between the parts of a request with allow_partial. */
  constructor(model: AgentModel, ownValues: OwnValues, betweenParts: () => Promise<void> = async () => undefined) {
    this.#model = model
    this.#ownValues = ownValues
    this.#betweenParts = betweenParts
  }

  async get(request: Get, requester: Requester): Promise<GetResp> {
    return readParameters(await ModelReader.of(this.#model, requester), request)
  }

  async instances(request: GetInstances, requester: Requester): Promise<GetInstancesResp> {
    return readInstances(await ModelReader.of(this.#model, requester), request)
  }

  async supportedModel(request: GetSupportedDM, requester: Requester): Promise<GetSupportedDMResp> {
    return supportedModel(await ModelReader.of(this.#model, requester), request)
  }

  set(request: Set_, requester: Requester): Promise<SetResp> {
    return setValues(this.#model, request, requester, this.#betweenParts)
  }

  add(request: Add, requester: Requester): Promise<AddResp> {
    return addRows(this.#model, request, requester, this.#ownValues, this.#betweenParts)
  }

  remove(request: Delete, requester: Requester): Promise<DeleteResp> {
    return deleteRows(this.#model, request, requester, this.#betweenParts)
  }
}
