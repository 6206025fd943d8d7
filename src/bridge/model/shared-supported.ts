import { loadModel } from '../../datamodel/index.ts'
import { MAPPINGS } from '../mapping/index.ts'
import type { RouterFacts } from './router-facts.ts'
import { type Served, SupportedObjects } from './supported-objects.ts'

/** Supported models at once; routers of one kind and version have the same. */
const MAX_MODELS = 64

/** By the function that names commands, then by the menus of a router and the events. */
const models = new WeakMap<Served['commands'], Map<string, SupportedObjects>>()

/** Returns the supported model of a router. Routers with the same menus, commands and events share it. */
export function supportedOf(facts: RouterFacts, served: Served): SupportedObjects {
  const schemas = ['Device.', ...new Set(MAPPINGS.map(({ object }) => object))]
  const events = schemas.map((schema) => served.events(schema))
  const halves = [served.writes, served.grows, served.objects].map((half) => half !== undefined)
  const key = JSON.stringify([[...facts.menus].sort(), [...facts.lacking], events, halves])
  const known = models.get(served.commands) ?? new Map<string, SupportedObjects>()
  models.set(served.commands, known)
  const model = known.get(key) ?? new SupportedObjects(loadModel('tr181-usp'), MAPPINGS, facts, served)
  known.delete(key)
  known.set(key, model)
  for (const oldest of known.keys()) {
    if (known.size <= MAX_MODELS) break
    known.delete(oldest)
  }
  return model
}
