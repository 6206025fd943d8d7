import { schemaPathOf } from '../../datamodel/index.ts'
import type { Delete, DeleteResp } from '../wire/index.ts'
import { AgentError, failure } from './agent-error.ts'
import { type AgentModel, ModelRefusal } from './agent-model.ts'
import { ModelReader } from './model-reader.ts'
import { DENIED, doPlans, type Failure } from './plans.ts'
import type { Requester } from './requester.ts'
import { mayFindNothing, objectsOf, type Resolved, resolveAll } from './resolve.ts'

interface DeletePlan {
  text: string
  /** Rows to delete. */
  objects: string[]
  /** Rows that stay, with the reason (R-DEL.3). */
  left: { row: string; why: Failure }[]
  failure?: Failure
}

/**
 * Answers Delete (TR-369 7.4.5). Without allow_partial all rows are deleted together, or the request rejects with
 * RequestRefused. With it, the rows that a path finds and that can be deleted are.
 */
export async function deleteRows(
  model: AgentModel,
  { allow_partial, obj_paths }: Delete,
  requester: Requester,
  betweenParts: () => Promise<void>,
): Promise<DeleteResp> {
  const reader = await ModelReader.of(model, requester)
  const resolved = await resolveAll(reader, obj_paths)
  const plans = obj_paths.map((text, i) => planOf(reader, text, resolved[i]))
  await doPlans({
    plans,
    allowPartial: allow_partial,
    act: (some) => remove(model, some, requester.by, allow_partial),
    betweenParts,
    errorsOf: ({ text, failure: why, left }) => [
      ...(why === undefined ? [] : [{ param_path: text, ...why }]),
      ...left.map((one) => ({ param_path: one.row, ...one.why })),
    ],
    refusal: 'nothing was deleted',
  })
  return { deleted_obj_results: plans.map((plan) => resultOf(reader, plan)) }
}

function planOf(reader: ModelReader, text: string, resolved: Resolved | AgentError | undefined): DeletePlan {
  const plan: DeletePlan = { text, objects: [], left: [] }
  try {
    if (resolved === undefined) throw new AgentError(7026, text)
    if (resolved instanceof AgentError && resolved.code === 7016 && !mayDelete(reader, text)) return denied(plan)
    const objects = objectsOf(resolved)
    if (resolved instanceof AgentError) throw resolved
    if (!mayFindNothing(resolved, (path) => mayDelete(reader, path))) return denied(plan)
    for (const object of objects) {
      const kind = reader.supported.object(schemaPathOf(object))
      if (kind?.table !== true || kind.access !== 'w' || !/\.\d+\.$/.test(object))
        throw new AgentError(7024, `${object} cannot be deleted`)
      if (mayDelete(reader, object)) plan.objects.push(object)
      else plan.left.push({ row: object, why: DENIED })
    }
    return plan.objects.length === 0 && plan.left.length > 0 ? denied(plan) : plan
  } catch (error) {
    return { text, objects: [], left: [], failure: failure(error, 7026) }
  }
}

function denied({ text }: DeletePlan): DeletePlan {
  return { text, objects: [], left: [], failure: DENIED }
}

function mayDelete({ access }: ModelReader, row: string): boolean {
  return access.has('InstantiatedObj', 'w', row)
}

/**
 * Deletes the rows of some plans, all or none. A refusal becomes the failure of each of them; with `partial`, it is that
 * of the rows that it names, and the others are tried again without them.
 */
async function remove(model: AgentModel, plans: DeletePlan[], by: string, partial: boolean): Promise<void> {
  for (;;) {
    const good = plans.filter((plan) => plan.failure === undefined && plan.objects.length > 0)
    if (good.length === 0) return
    try {
      return await model.delete([...new Set(good.flatMap((plan) => plan.objects))], by)
    } catch (error) {
      if (partial && leaveOut(good, error)) continue
      for (const plan of good) if (isAbout(error, plan)) plan.failure = failure(error, 7003)
      return
    }
  }
}

/** Takes the rows that a refusal names out of their plans. Returns false when a plan would lose all, or it names none. */
function leaveOut(plans: readonly DeletePlan[], error: unknown): boolean {
  if (!(error instanceof ModelRefusal)) return false
  let found = false
  for (const plan of plans) {
    const named = error.problems.filter(({ path }) => plan.objects.includes(path))
    if (named.length >= plan.objects.length) return false
    for (const { path, code, text } of named) {
      found = true
      plan.objects = plan.objects.filter((object) => object !== path)
      plan.left.push({ row: path, why: { err_code: code, err_msg: text } })
    }
  }
  return found
}

/** Returns false for a refusal that names rows of other plans only. */
function isAbout(error: unknown, plan: DeletePlan): boolean {
  return !(error instanceof ModelRefusal) || error.problems.some(({ path }) => plan.objects.includes(path))
}

/** Rows that may not be read are not named (R-DEL.2, R-DEL.4). */
function resultOf(
  { access }: ModelReader,
  { text, objects, left, failure: why }: DeletePlan,
): DeleteResp['deleted_obj_results'][number] {
  // A valid path without such an instance is a success with nothing affected (R-DEL.2a).
  if (why !== undefined && why.err_code !== 7016) return { requested_path: text, oper_status: { oper_failure: why } }
  const isShown = (row: string) => access.has('InstantiatedObj', 'r', row)
  const unaffected_path_errs = left
    .filter(({ row }) => isShown(row))
    .map(({ row, why }) => ({ unaffected_path: row, ...why }))
  return {
    requested_path: text,
    oper_status: { oper_success: { affected_paths: objects.filter(isShown), unaffected_path_errs } },
  }
}
