import { isConflict } from '../../base/index.ts'
import { HttpRefusal } from './problem.ts'

/** How often a change without If-Match is tried when others change the same thing at the same time. */
const MAX_TRIES = 8

/**
 * Runs a change against the revision that If-Match names (RFC 9110 13.1.1); `change` must not do anything when that revision is not the
 * current one any more (AppError `conflict`). Without If-Match, or with `*`, it runs against the revision that is current, and again when
 * another change came in between. HttpRefusal 412 when the current revision is not one that is named.
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
      throw new HttpRefusal(412, 'If-Match names another revision; read it again', { etag: `"${revision}"` })
    try {
      return await change(revision)
    } catch (error) {
      const overtaken = isConflict(error) && (await currentRevision()) !== revision
      if (!overtaken || attempt >= MAX_TRIES) throw error
    }
  }
}

/** The entity tags of an If-Match, weak ones as strong; undefined when any revision will do. */
function tagsOf(header: string | undefined): string[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  return header.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
}
