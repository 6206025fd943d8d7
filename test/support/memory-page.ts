import type { Page } from '../../src/domain/index.ts'

/** The first `limit` items of a list; `next` is the key of the last of them where there are more. */
export function pageOf<T>(all: T[], limit: number, key: (item: T) => string): Page<T> {
  const items = all.slice(0, limit)
  const last = items.at(-1)
  return all.length > limit && last !== undefined ? { items, next: key(last) } : { items }
}
