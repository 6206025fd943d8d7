import type { Page } from '../device/index.ts'

/** Every item of a paged list, page by page. */
export async function* pages<T>(read: (cursor: { cursor?: string }) => Promise<Page<T>>): AsyncGenerator<T> {
  let cursor: { cursor?: string } = {}
  for (;;) {
    const { items, next } = await read(cursor)
    yield* items
    if (next === undefined) return
    cursor = { cursor: next }
  }
}
