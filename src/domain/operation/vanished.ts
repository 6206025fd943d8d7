import { isWithin, objectsOn } from '../../datamodel/index.ts'
import type { Parameter } from '../device/parameter.ts'
import type { ParameterStore } from '../device/ports.ts'
import type { DeviceId } from '../id.ts'
import type { Protocol } from '../protocol.ts'
import type { PathOutcome } from './operation.ts'

/** A read that was to show everything below its objects. */
interface WholeRead {
  deviceId: DeviceId
  /** Object paths ending in a dot; '' = all. */
  objects: string[]
  /** Values and errors of what was read; an error at an object means that nothing is known of what is below it. */
  results: PathOutcome[]
  source: Protocol
  /**
   * Returns true when the model of this protocol has an object, which this protocol then shows as well as the other
   * one.
   */
  knows(object: string): boolean
}

/**
 * The parts of the stored tree that a whole read did not show: rows and objects, outermost first, and single
 * parameters.
 */
interface Vanished {
  subtrees: string[]
  parameters: string[]
}

const PAGE = 1000

/**
 * Returns the parts of the stored tree that the device no longer has. Only absence counts: a path that answered with an
 * error exists, nothing is known below an object that could not be read, and paths that only the other protocol shows
 * are kept. Calls `each` with every stored parameter below the objects.
 */
export async function vanishedSince(
  read: WholeRead,
  parameters: ParameterStore,
  each?: (stored: Parameter) => void,
): Promise<Vanished> {
  const seen = new Set<string>()
  const blind: string[] = []
  for (const { path, error } of read.results) {
    seen.add(path)
    for (const object of objectsOn(path)) seen.add(object)
    if (error !== undefined && path.endsWith('.')) blind.push(path)
  }
  const subtrees = new Set<string>()
  const single: string[] = []
  for (const object of read.objects) {
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const page = await parameters.list(read.deviceId, object, PAGE, cursor)
      for (const stored of page.items) {
        const { path, source, from } = stored
        each?.(stored)
        // A mapped value goes with its source.
        if (from !== undefined) continue
        if (seen.has(path) || blind.some((unread) => isWithin(path, unread))) continue
        const own = path.slice(0, path.lastIndexOf('.') + 1)
        if (source !== read.source && !read.knows(own)) continue
        // The object that was asked for stays, however empty it is.
        const gone = objectsOn(path).find((above) => above.length > object.length && !seen.has(above))
        if (gone === undefined) single.push(path)
        else subtrees.add(gone)
      }
      cursor = page.next
    }
  }
  return { subtrees: [...subtrees], parameters: single }
}
