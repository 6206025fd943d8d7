import type { StoredInstanceMap } from '../../domain/index.ts'
import type { Write } from './write-set.ts'

/** An instance map as a document. The map itself is kept as text: paths are no field names. */
export type InstanceMapFields = Omit<StoredInstanceMap, 'map'> & { map: string }

/** The write of an instance map, which is refused where the stored version is not the one before its own. */
export function instanceMapWrite(deviceId: string, { map, ...stored }: StoredInstanceMap): Write {
  const { version } = stored
  const fields: InstanceMapFields = { ...stored, map: JSON.stringify(map) }
  if (version === 1)
    return { collection: 'instanceMaps', operation: { insertOne: { document: { _id: deviceId, ...fields } } } }
  return {
    collection: 'instanceMaps',
    operation: { replaceOne: { filter: { _id: deviceId, version: version - 1 }, replacement: { ...fields } } },
    mustMatch: 'the instance map has changed meanwhile',
  }
}
