import {
  checkRows,
  countInScope,
  createRowSet,
  deleteRowSet,
  listRowSets,
  readRowSet,
  replaceRowSet,
} from '../../desk/index.ts'
import { deleteIfMatch, withIfMatch } from '../http/if-match.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { IdParam, IF_MATCH, Paging } from '../schemas/common.ts'
import {
  checkOf,
  MappingRowCheckInput,
  MappingRowCheckSchema,
  MappingRowSetInput,
  MappingRowSetPage,
  RemappingSchema,
  rowSetOf,
  SizedMappingRowSetSchema,
} from '../schemas/mapping-row.ts'
import { withTimes } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Mapping rows'

/** Rows that operators add to the mapping of devices. */
export function mappingRowRoutes(deps: RouteDeps): Route[] {
  const sized = async (set: Awaited<ReturnType<typeof readRowSet>>) => ({
    headers: { etag: `"${set.revision}"` },
    body: { ...withTimes(set), devices: await countInScope(deps, set) },
  })
  return [
    route({
      method: 'post',
      path: '/mapping-rows',
      id: 'createMappingRows',
      tag,
      summary: 'Add a set of mapping rows for some models and firmware',
      description:
        'The rows go before those of Isthmus with the same target, and replace those with the same source and target. ' +
        'Of two sets the one whose scope says more goes first. A bad row is refused with its place, as `body.rows.3.to`.',
      permission: 'mappingRows.write',
      body: MappingRowSetInput,
      responses: { 201: { description: 'The set', schema: SizedMappingRowSetSchema } },
      async handle({ body, principal }) {
        const set = await createRowSet(deps, rowSetOf(body), principal)
        const { headers, body: view } = await sized(set)
        return { status: 201, headers: { ...headers, location: `/api/v1/mapping-rows/${set.id}` }, body: view }
      },
    }),
    route({
      method: 'get',
      path: '/mapping-rows',
      id: 'listMappingRows',
      tag,
      summary: 'List sets of mapping rows, those of files behind the others',
      permission: 'mappingRows.read',
      query: Paging,
      responses: { 200: { description: 'A page of sets', schema: MappingRowSetPage } },
      async handle({ query }) {
        const found = await listRowSets(deps, query.limit, query.cursor)
        return { body: { ...found, items: found.items.map(withTimes) } }
      },
    }),
    route({
      method: 'post',
      path: '/mapping-rows/check',
      id: 'checkMappingRows',
      tag,
      summary: 'Try mapping rows on the stored tree of a device',
      description:
        'Nothing is stored and the device is not asked. The answer has, for each row, the parameters of the device that ' +
        'it names, the value that each gives, and what did not decode.',
      permission: 'mappingRows.write',
      body: MappingRowCheckInput,
      responses: { 200: { description: 'The outcome of each row', schema: MappingRowCheckSchema } },
      async handle({ body }) {
        return { body: await checkRows(deps, { deviceId: readDeviceId(body.deviceId), ...checkOf(body) }) }
      },
    }),
    route({
      method: 'get',
      path: '/mapping-rows/remapping',
      id: 'readRemapping',
      tag,
      summary: 'Read how far devices are mapped by changed rows',
      description:
        'Stored trees are mapped again in the background after each change; no device is asked for anything.',
      permission: 'mappingRows.read',
      responses: { 200: { description: 'The run under way, or the last one', schema: RemappingSchema } },
      async handle() {
        const { wanted, done, run, after: _after, ...work } = await deps.mappingRows.remapping()
        const state = done >= wanted ? 'idle' : run === wanted ? 'running' : 'waiting'
        return { body: withTimes({ state, ...work }) }
      },
    }),
    route({
      method: 'get',
      path: '/mapping-rows/{id}',
      id: 'readMappingRows',
      tag,
      summary: 'Read a set of mapping rows with the number of its devices',
      permission: 'mappingRows.read',
      params: IdParam,
      responses: { 200: { description: 'The set', schema: SizedMappingRowSetSchema } },
      handle: async ({ params }) => sized(await readRowSet(deps, params.id)),
    }),
    route({
      method: 'put',
      path: '/mapping-rows/{id}',
      id: 'replaceMappingRows',
      tag,
      summary: 'Replace a set of mapping rows',
      description: 'One of a file is changed there: 409.',
      permission: 'mappingRows.write',
      params: IdParam,
      headers: IF_MATCH,
      body: MappingRowSetInput,
      responses: { 200: { description: 'The set', schema: SizedMappingRowSetSchema } },
      async handle({ params, body, header, principal }) {
        const set = await withIfMatch(
          header('if-match'),
          async () => (await readRowSet(deps, params.id)).revision,
          (revision) => replaceRowSet(deps, params.id, { input: rowSetOf(body), revision }, principal),
        )
        return sized(set)
      },
    }),
    route({
      method: 'delete',
      path: '/mapping-rows/{id}',
      id: 'deleteMappingRows',
      tag,
      summary: 'Delete a set of mapping rows',
      permission: 'mappingRows.write',
      params: IdParam,
      headers: IF_MATCH,
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, header, principal }) {
        await deleteIfMatch(
          header('if-match'),
          async () => (await readRowSet(deps, params.id)).revision,
          () => deleteRowSet(deps, params.id, principal),
        )
        return { status: 204 }
      },
    }),
  ]
}
