import type { Interests } from './interests.ts'
import type { Look } from './places.ts'
import { looksFor } from './router-events.ts'

/** Returns all paths of some looks, each once. */
export function together(looks: readonly Look[]): Look {
  return {
    rows: [...new Set(looks.flatMap(({ rows }) => rows))],
    values: [...new Set(looks.flatMap(({ values }) => values))],
  }
}

/** Returns the paths that interests are about. */
export function lookOf({ subscribed, thresholds }: Interests): Look {
  const rows = new Set<string>()
  const values = new Set(thresholds.map(({ parameters }) => parameters))
  for (const { type, references } of subscribed)
    for (const reference of references) {
      if (type === 'ValueChange') values.add(reference)
      else if (type === 'ObjectCreation' || type === 'ObjectDeletion') rows.add(reference)
      else if (type === 'Event')
        for (const look of looksFor(reference)) {
          for (const path of look.rows) rows.add(path)
          for (const path of look.values) values.add(path)
        }
    }
  return { rows: [...rows], values: [...values] }
}
