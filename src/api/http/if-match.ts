import { isConflict } from '../../base/index.ts'
import { HttpRefusal } from './problem.ts'

/** Attempts of a change without If-Match, when others change the same object at the same time. */
const MAX_TRIES = 8

/**
 * Runs a change against the revision that If-Match names (RFC 9110 13.1.1); `change` does nothing and throws AppError
 * `conflict` when that revision is not the present one any more. Without If-Match, or with `*`, it runs against the
 * present revision, and again after a concurrent change. HttpRefusal 412 when If-Match does not name the present
 * revision.
 */
export async function withIfMatch<T>(
  header: string | undefined,
  currentRevision: () => Promise<number>,
  change: (revision: number) => Promise<T>,
): Promise<T> {
  const named = tagsOf(header)
  for (let attempt = 1; ; attempt++) {
    const revision = await currentRevision()
    if (named?.includes(`"${revision}"`) === false)
      throw new HttpRefusal(
        412,
        `If-Match names another revision than "${revision}", which is the present one; read it again`,
        { etag: `"${revision}"` },
      )
    try {
      return await change(revision)
    } catch (error) {
      const overtaken = isConflict(error) && (await currentRevision()) !== revision
      if (!overtaken || attempt >= MAX_TRIES) throw error
    }
  }
}

/** The entity tags of an If-Match, weak ones as strong; undefined for any revision. */
function tagsOf(header: string | undefined): string[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  return header.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
}
