import { describe, expect, it } from 'vitest'
import { isOfBridge, may, type Principal, READ_VERBS, VERB_PERMISSION } from '../../../src/domain/index.ts'
import { apiDescription as document, apiRoutes as routes } from '../../support/api-description.ts'
import type { JsonSchema } from '../../support/json-schema.ts'

const as = (role: 'reader' | 'writer' | 'bridge' | 'newBridge'): Principal => ({
  kind: 'apiKey',
  id: 'x',
  roles: [role],
  groups: [],
})
const keyRoutes = routes.filter(({ permission }) => !isOfBridge(permission))

describe('permissions', () => {
  it('let a reader do every GET except that of API keys, and a writer everything', () => {
    expect(keyRoutes.length).toBeGreaterThan(40)
    for (const { method, path, permission } of keyRoutes) {
      const name = `${method} ${path}`
      expect(may(as('reader'), permission), name).toBe(method === 'get' && path !== '/api-keys')
      expect(may(as('writer'), permission), name).toBe(true)
    }
    for (const permission of ['metrics.read', 'description.read'] as const)
      expect(may(as('reader'), permission)).toBe(true)
  })

  it('let a reader ask no device for anything, and a writer run every verb', () => {
    for (const [verb, permission] of Object.entries(VERB_PERMISSION)) {
      expect(may(as('reader'), permission), verb).toBe(false)
      expect(may(as('writer'), permission), verb).toBe(true)
    }
    expect(READ_VERBS.map((verb) => VERB_PERMISSION[verb])).toEqual(READ_VERBS.map(() => 'verbs.query'))
  })

  it('keep the routes of bridges for bridges, and bridges out of all others', () => {
    const own = routes.filter(({ path }) => path === '/bridge' || path.startsWith('/bridge/'))
    expect(own.map(({ permission }) => permission).sort()).toEqual([
      'bridge.register',
      ...Array(5).fill('bridge.serve'),
    ])
    for (const { method, path, permission } of routes) {
      const isOwn = own.some((route) => route.path === path)
      const name = `${method} ${path}`
      expect(may(as('bridge'), permission), name).toBe(isOwn && permission === 'bridge.serve')
      expect(may(as('newBridge'), permission), name).toBe(isOwn && permission === 'bridge.register')
      if (isOwn) expect([may(as('reader'), permission), may(as('writer'), permission)], name).toEqual([false, false])
    }
  })

  it('let a principal without a role do nothing', () => {
    for (const { permission } of routes) expect(may({ roles: [] }, permission)).toBe(false)
  })
})

it('a deletion takes If-Match where a change does', () => {
  const takes = (method: string, path: string) =>
    routes.some((route) => route.method === method && route.path === path && route.headers?.['If-Match'] !== undefined)
  const changed = routes.filter(({ method, path }) => method !== 'delete' && takes(method, path))
  expect(changed.length).toBeGreaterThan(4)
  for (const { path } of changed) expect(takes('delete', path), path).toBe(true)
})

describe('the description', () => {
  const schemas = Object.entries(document.components.schemas)
  const text = JSON.stringify(document)

  it('has a named schema for every answer with a body, and for every body of a request', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      if (!path.startsWith('/api/v1/')) continue
      for (const [method, operation] of Object.entries(methods)) {
        const { requestBody } = operation as { requestBody?: { content: Record<string, { schema: JsonSchema }> } }
        const contents = [requestBody, ...Object.values(operation.responses)].flatMap((part) =>
          Object.entries(part?.content ?? {}),
        )
        for (const [type, { schema }] of contents)
          if (type.includes('json')) expect(schema.$ref, `${method} ${path}`).toMatch(/^#\/components\/schemas\/\w+$/)
      }
    }
  })

  it('has no schema without content, and none that nothing refers to', () => {
    const empty: string[] = []
    const look = (value: unknown, at: string) => {
      if (typeof value !== 'object' || value === null) return
      const entries = Object.entries(value)
      if (entries.length === 0 && !/\.(security|input|values)(\.\d+)?$/.test(at)) empty.push(at)
      for (const [name, item] of entries) if (name !== 'example') look(item, `${at}.${name}`)
    }
    for (const [name, schema] of schemas) {
      look(schema, name)
      expect(text, name).toContain(`"#/components/schemas/${name}"`)
    }
    expect(empty.filter((at) => !at.endsWith('.default'))).toEqual([])
  })

  it('has a request for each verb, found by its verb', () => {
    const { discriminator } = document.components.schemas.OperationRequest as {
      discriminator?: { propertyName: string; mapping: Record<string, string> }
    }
    expect(discriminator?.propertyName).toBe('verb')
    expect(Object.keys(discriminator?.mapping ?? {}).sort()).toEqual(Object.keys(VERB_PERMISSION).sort())
    for (const reference of Object.values(discriminator?.mapping ?? {}))
      expect(Object.keys(document.components.schemas)).toContain(reference.replace('#/components/schemas/', ''))
  })

  it('has an operation and a result for each verb, and an operation is exactly one of them', () => {
    const { oneOf = [] } = document.components.schemas.Operation ?? {}
    const verbs = Object.keys(VERB_PERMISSION)
    const prefixes = verbs.map((verb) => verb.charAt(0).toUpperCase() + verb.slice(1))
    expect(oneOf.map(({ $ref }) => $ref).sort()).toEqual(
      prefixes.map((prefix) => `#/components/schemas/${prefix}Operation`).sort(),
    )
    for (const [n, verb] of verbs.entries()) {
      const properties = document.components.schemas[`${prefixes[n]}Operation`]?.properties
      expect(properties?.request?.$ref).toBe(`#/components/schemas/${prefixes[n]}Request`)
      expect(properties?.result?.$ref).toBe(`#/components/schemas/${prefixes[n]}Result`)
      expect(document.components.schemas[`${prefixes[n]}Request`]?.properties?.verb?.enum).toEqual([verb])
      expect(document.components.schemas[`${prefixes[n]}Result`]?.required).toEqual(['outcome', 'results'])
    }
  })

  it('combines no schemas in a way that client generators drop', () => {
    const found: string[] = []
    const look = (value: unknown, at: string) => {
      if (typeof value !== 'object' || value === null) return
      const { anyOf, allOf = [], type, items } = value as JsonSchema
      if (anyOf !== undefined) found.push(`${at} is anyOf`)
      if ([type].flat().includes('array') && items === undefined) found.push(`${at} is an array of nothing`)
      // A component that is no object cannot be a part of another one.
      for (const part of allOf) {
        const named = part.$ref === undefined ? part : document.components.schemas[part.$ref.replace(/^.*\//, '')]
        if (named?.type !== 'object' && named?.allOf === undefined) found.push(`${at} is allOf of no object`)
      }
      for (const [name, item] of Object.entries(value)) look(item, `${at}.${name}`)
    }
    look(document, 'document')
    expect(found).toEqual([])
  })

  it('has no component twice under names that differ in their numbers only', () => {
    expect(schemas.map(([name]) => name).filter((name) => /\d$/.test(name))).toEqual([])
  })
})
