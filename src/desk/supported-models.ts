import { notFound, type Principal, type SupportedModelStore } from '../domain/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'

/** Deletes a supported data model, so that Agents are asked for it again. AppError `notFound` when there is none. */
export async function deleteSupportedModel(
  deps: AuditDeps & { supportedModels: Pick<SupportedModelStore, 'get' | 'delete'> },
  id: string,
  by: Principal,
): Promise<void> {
  const model = await deps.supportedModels.get(id)
  if (model === undefined) throw notFound('supported model', id)
  const { key, digest, describedBy } = model
  const before = { key, digest, describedBy }
  await auditedBy(deps, by, { action: 'supportedModel.delete', target: id, before }, (at, actor) =>
    deps.supportedModels.delete(id, {
      type: 'supportedModel.deleted',
      at,
      protocol: 'usp',
      data: { id, model: key, by: actor },
    }),
  )
}
