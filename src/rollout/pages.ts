import type { Page } from '../domain/index.ts'

type Read<T> = (cursor: { cursor?: string }) => Promise<Page<T>>

/** Every item of a paged list, page by page. */
export async function* pages<T>(read: Read<T>): AsyncGenerator<T> {
  for await (const items of batches(read)) yield* items
}

/** The pages of a paged list. */
export async function* batches<T>(read: Read<T>): AsyncGenerator<T[]> {
  let cursor: { cursor?: string } = {}
  for (;;) {
    const { items, next } = await read(cursor)
    yield items
    if (next === undefined) return
    cursor = { cursor: next }
  }
}
