import { schemaPathOf } from '../../datamodel/index.ts'
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
import { AgentError, failure } from './agent-error.ts'
import { type AgentModel, ModelRefusal } from './agent-model.ts'
import { ModelReader } from './model-reader.ts'
import { doPlans, type Failure } from './plans.ts'
import { readInstances, readParameters } from './reading.ts'
import { resolveObjects } from './resolve.ts'
import { setValues } from './setting.ts'
import { supportedModel } from './supported-model.ts'

/** Values that the Agent itself gives to a new row of a table, when `by` adds it. */
type OwnValues = (table: string, by: string) => Record<string, string>

/**
 * Answers the requests on the data model (TR-369 7.4 and 7.5) over an AgentModel. A request that fails as a whole
 * rejects with RequestRefused.
 */
export class AgentRequests {
  readonly #model: AgentModel
  readonly #ownValues: OwnValues

  constructor(model: AgentModel, ownValues: OwnValues) {
    this.#model = model
    this.#ownValues = ownValues
  }

  async get(request: Get): Promise<GetResp> {
    return readParameters(await ModelReader.of(this.#model), request)
  }

  async instances(request: GetInstances): Promise<GetInstancesResp> {
    return readInstances(await ModelReader.of(this.#model), request)
  }

  async supportedModel(request: GetSupportedDM): Promise<GetSupportedDMResp> {
    return supportedModel(await ModelReader.of(this.#model), request)
  }

  /** `by` is the row of the Controller that asks. */
  set(request: Set_, by: string): Promise<SetResp> {
    return setValues(this.#model, request, by)
  }

  add(request: Add, by: string): Promise<AddResp> {
    return addRows(this.#model, request, by, this.#ownValues)
  }

  async remove({ allow_partial, obj_paths }: Delete, by: string): Promise<DeleteResp> {
    const reader = await ModelReader.of(this.#model)
    const plans = await Promise.all(obj_paths.map((text) => planDelete(reader, text)))
    await doPlans({
      plans,
      allowPartial: allow_partial,
      act: (some) => this.#delete(some, by),
      errorsOf: ({ text, failure: why }) => (why === undefined ? [] : [{ param_path: text, ...why }]),
      refusal: 'nothing was deleted',
    })
    return { deleted_obj_results: plans.map(resultOf) }
  }

  /** Deletes the rows of some plans, all or none; a refusal becomes the failure of each of them. */
  async #delete(plans: DeletePlan[], by: string): Promise<void> {
    const good = plans.filter((plan) => plan.failure === undefined && plan.objects.length > 0)
    if (good.length === 0) return
    try {
      await this.#model.delete([...new Set(good.flatMap((plan) => plan.objects))], by)
    } catch (error) {
      for (const plan of good) if (isAbout(error, plan)) plan.failure = failure(error, 7003)
    }
  }
}

interface DeletePlan {
  text: string
  objects: string[]
  failure?: Failure
}

async function planDelete(reader: ModelReader, text: string): Promise<DeletePlan> {
  try {
    const objects = await resolveObjects(reader, text)
    const bad = objects.find((object) => {
      const kind = reader.supported.object(schemaPathOf(object))
      return kind?.table !== true || kind.access !== 'w' || !/\.\d+\.$/.test(object)
    })
    if (bad !== undefined) throw new AgentError(7024, `${bad} cannot be deleted`)
    return { text, objects }
  } catch (error) {
    return { text, objects: [], failure: failure(error, 7026) }
  }
}

/** Returns false for a refusal that names rows of other plans only. */
function isAbout(error: unknown, plan: DeletePlan): boolean {
  return !(error instanceof ModelRefusal) || error.problems.some(({ path }) => plan.objects.includes(path))
}

function resultOf({ text, objects, failure: why }: DeletePlan): DeleteResp['deleted_obj_results'][number] {
  // A valid path without such an instance is a success with nothing affected (R-DEL.2a).
  if (why !== undefined && why.err_code !== 7016) return { requested_path: text, oper_status: { oper_failure: why } }
  return {
    requested_path: text,
    oper_status: { oper_success: { affected_paths: objects, unaffected_path_errs: [] } },
  }
}
