import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SaxesParser } from 'saxes'
import { describe, expect, it } from 'vitest'
import { ACS_FAULTS, CPE_FAULTS, encodeEnvelope, RPCS, type RpcName } from '../../../src/cwmp/wire/index.ts'
import type { Codec } from '../../../src/cwmp/wire/schema.ts'
import {
  ArgStruct,
  DeviceIdStruct,
  EventStruct,
  FaultStruct,
  ParameterAttributeStruct,
  ParameterInfoStruct,
  ParameterValueStruct,
  SetParameterAttributesStruct,
} from '../../../src/cwmp/wire/structs.ts'

const XSD = 'http://www.w3.org/2001/XMLSchema'
const WSDL = 'http://schemas.xmlsoap.org/wsdl/'
const SOAP = 'http://schemas.xmlsoap.org/wsdl/soap/'
const URN = 'urn:dslforum-org:cwmp-1-2'

interface Node {
  name: string
  uri: string
  attributes: Record<string, string>
  children: Node[]
}

function parse(text: string): Node {
  const document: Node = { name: '', uri: '', attributes: {}, children: [] }
  const stack = [document]
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ local, uri, attributes }) => {
    const values = Object.values(attributes).map(({ name, value }) => [name, value] as const)
    const node: Node = { name: local, uri, attributes: Object.fromEntries(values), children: [] }
    stack.at(-1)?.children.push(node)
    stack.push(node)
  })
  parser.on('closetag', () => void stack.pop())
  parser.write(text).close()
  return document.children[0]!
}

const read = (file: string) => parse(readFileSync(join(import.meta.dirname, '../../../wsdl', file), 'utf8'))
const schema = read('cwmp-1-4.xsd')
const wsdl = read('cwmp-1-4.wsdl')

/** Everything below a node, itself included. */
function* all(node: Node): Generator<Node> {
  yield node
  for (const child of node.children) yield* all(child)
}

function declared(kind: string, name: string): Node {
  const found = schema.children.filter((node) => node.name === kind && node.attributes.name === name)
  expect(found, `${kind} ${name} is declared once`).toHaveLength(1)
  return found[0]!
}

/** Members of an element's or a named type's sequence: name and type, in order. */
function membersOf(node: Node): { name: string; type: string; max: string }[] {
  const sequence = [...all(node)].find(({ name }) => name === 'sequence')
  return (sequence?.children ?? []).map(({ attributes: { name = '', type = '', maxOccurs = '1' } }) => ({
    name,
    type,
    max: maxOccurs,
  }))
}

/** The base of a type: an XSD type, `struct`, or the arrayType of an array. */
function kindOf(type: string): string {
  if (type.startsWith('xsd:')) return type.slice(4)
  const name = type.replace(/^cwmp:/, '')
  const simple = schema.children.find((node) => node.name === 'simpleType' && node.attributes.name === name)
  if (simple !== undefined) return kindOf(simple.children[0]?.attributes.base ?? '')
  const array = [...all(declared('complexType', name))].find((node) => 'wsdl:arrayType' in node.attributes)
  return array?.attributes['wsdl:arrayType'] ?? 'struct'
}

/** The same of a codec, found out from how it reads and writes. */
function kindOfCodec(codec: Codec<unknown>): string {
  if ('members' in codec) return 'struct'
  const missing = codec.read(undefined, '')
  if (Array.isArray(missing)) return /arrayType="(.*)\[0\]"/.exec(codec.write('a', []))?.[1]?.concat('[]') ?? ''
  if (typeof missing === 'boolean') return 'boolean'
  if (typeof missing === 'string') return missing === '' ? 'string' : 'dateTime'
  const negative = { name: 'a', uri: '', attributes: {}, children: [], text: '-1' }
  try {
    // A loose one takes it, and reads what is missing.
    return codec.read(negative, '') === -1 ? 'int' : 'unsignedInt'
  } catch {
    return 'unsignedInt'
  }
}

const described = (members: { name: string; type: string }[]) => members.map(({ name, type }) => [name, kindOf(type)])
const inCode = (codec: { members: Record<string, Codec<unknown>> }) =>
  Object.entries(codec.members).map(([name, member]) => [name, kindOfCodec(member)])

const names = Object.keys(RPCS) as RpcName[]
const methods = names.flatMap((name) => [name, `${name}Response`])

describe('the schema', () => {
  it('describes the namespace of 1.2 to 1.4 with unqualified members', () => {
    expect([schema.name, schema.uri]).toEqual(['schema', XSD])
    expect(schema.attributes).toMatchObject({ targetNamespace: URN, elementFormDefault: 'unqualified' })
  })

  it.each(names)('declares %s with the arguments of the code, in order', (name) => {
    expect(described(membersOf(declared('element', name)))).toEqual(inCode(RPCS[name].request))
    expect(described(membersOf(declared('element', `${name}Response`)))).toEqual(inCode(RPCS[name].response))
  })

  it('declares no method besides, only the headers and Fault', () => {
    const elements = schema.children.filter(({ name }) => name === 'element').map(({ attributes }) => attributes.name)
    const rest = ['ID', 'HoldRequests', 'SessionTimeout', 'SupportedCWMPVersions', 'UseCWMPVersion', 'Fault']
    expect(elements.toSorted()).toEqual([...methods, ...rest].toSorted())
  })

  it.each(
    Object.entries({
      DeviceIdStruct,
      EventStruct,
      ParameterInfoStruct,
      SetParameterAttributesStruct,
      ParameterAttributeStruct,
      FaultStruct,
      ArgStruct,
    }),
  )('declares %s with the members of the code', (name, struct) => {
    expect(described(membersOf(declared('complexType', name)))).toEqual(inCode(struct))
  })

  it('declares ParameterValueStruct as it is written', () => {
    const text = ParameterValueStruct.write('P', { name: 'Device.A', value: '1', type: 'int' })
    const written = parse(`<r xmlns:xsi="x">${text}</r>`).children[0]!.children.map(({ name }) => name)
    expect(described(membersOf(declared('complexType', 'ParameterValueStruct')))).toEqual([
      ['Name', 'string'],
      ['Value', 'anySimpleType'],
    ])
    expect(written).toEqual(['Name', 'Value'])
  })

  it('names the items of every array after its arrayType', () => {
    const arrays = schema.children.filter((node) => [...all(node)].some(({ name }) => name === 'restriction'))
    const lists = arrays.filter((node) => node.name === 'complexType')
    expect(lists.length).toBeGreaterThan(5)
    for (const list of lists) {
      const [item, ...more] = membersOf(list)
      expect(more).toEqual([])
      expect(kindOf(`cwmp:${list.attributes.name}`).replace(/^\w+:/, '')).toBe(`${item?.name}[]`)
    }
  })

  it.each([
    // Some CPE keep more events than the schema allows; they are not lost.
    ['Event', 64, 1024],
    ['FileTypeArg', 16, 16],
  ])('limits %s to %i items; the code takes %i', (name, declaredMax, max) => {
    const owner = name === 'Event' ? 'Inform' : 'RequestDownload'
    const { type } = membersOf(declared('element', owner)).find((member) => member.name === name)!
    expect(membersOf(declared('complexType', type.replace('cwmp:', '')))[0]?.max).toBe(String(declaredMax))
    const codec: Record<string, Codec<unknown>> = RPCS[owner].request.members
    const item = { name: 'a', uri: '', attributes: {}, children: [], text: '' }
    const list = (n: number) => ({ ...item, children: Array.from({ length: n }, () => item) })
    expect(() => codec[name]!.read(list(max), name)).not.toThrow()
    expect(() => codec[name]!.read(list(max + 1), name)).toThrow(/more than/)
  })

  it('refers to nothing that it does not declare', () => {
    const declaredTypes = schema.children.map(({ attributes }) => attributes.name)
    for (const { attributes } of all(schema)) {
      const references = [attributes.type, attributes.base, ...(attributes.memberTypes?.split(' ') ?? [])]
      for (const reference of references)
        if (reference?.startsWith('cwmp:')) expect(declaredTypes).toContain(reference.slice(5))
    }
  })

  it.each([
    ['CpeFaultCode', CPE_FAULTS],
    ['AcsFaultCode', ACS_FAULTS],
  ])('%s has every code that the code knows', (name, table) => {
    const codes = [...all(declared('simpleType', name))]
      .filter((node) => node.name === 'enumeration')
      .map(({ attributes }) => attributes.value)
    expect(codes).toEqual(expect.arrayContaining(Object.keys(table)))
  })

  it('gives each header the mustUnderstand that is written', () => {
    const header = {
      id: '1',
      holdRequests: true,
      sessionTimeoutS: 30,
      supportedCwmpVersions: '1.0,1.4',
      useCwmpVersion: '1.4',
    }
    const text = encodeEnvelope(URN, header, { kind: 'request', name: 'GetRPCMethods', body: {} })
    const written = parse(text).children.find(({ name }) => name === 'Header')!.children
    expect(written).toHaveLength(5)
    for (const { name, uri, attributes } of written) {
      expect(uri).toBe(URN)
      const attribute = [...all(declared('element', name))].find((node) => node.name === 'attribute')
      expect(attribute?.attributes).toMatchObject({
        ref: 'soap-env:mustUnderstand',
        fixed: attributes['soap-env:mustUnderstand'],
      })
    }
  })
})

describe('the description of the services', () => {
  const ofKind = (node: Node, name: string) =>
    node.children.filter((child) => child.name === name && child.uri === WSDL)
  const operations = (port: string) => {
    const portType = ofKind(wsdl, 'portType').find(({ attributes }) => attributes.name === port)!
    return ofKind(portType, 'operation')
  }

  it('is of the same namespace and takes the schema in', () => {
    expect([wsdl.name, wsdl.uri, wsdl.attributes.targetNamespace]).toEqual(['definitions', WSDL, URN])
    const imported = [...all(wsdl)].find(({ name, uri }) => name === 'import' && uri === XSD)
    expect(imported?.attributes).toEqual({ namespace: URN, schemaLocation: 'cwmp-1-4.xsd' })
  })

  it.each([
    ['AcsPort', 'cpe'],
    ['CpePort', 'acs'],
  ])('%s has an operation for each method that the %s calls', (port, caller) => {
    const called = names.filter((name) => RPCS[name].from === caller || RPCS[name].from === 'both')
    expect(
      operations(port)
        .map(({ attributes }) => attributes.name ?? '')
        .toSorted(),
    ).toEqual(called.toSorted())
  })

  it.each(['AcsPort', 'CpePort'])('%s pairs each request with its response and the fault', (port) => {
    for (const operation of operations(port)) {
      const { name } = operation.attributes
      const messages = operation.children.map((child) => [child.name, child.attributes.message])
      expect(messages).toEqual([
        ['input', `cwmp:${name}`],
        ['output', `cwmp:${name}Response`],
        ['fault', 'cwmp:Fault'],
      ])
    }
  })

  it('has a message per element, and each carries that element', () => {
    const messages = ofKind(wsdl, 'message').filter(({ attributes }) => attributes.name !== 'Header')
    const parts = messages.map(({ attributes, children }) => [attributes.name, children[0]?.attributes.element])
    expect(parts.toSorted()).toEqual([...methods, 'Fault'].map((name) => [name, `cwmp:${name}`]).toSorted())
  })

  it('binds every operation of both ports with an empty SOAPAction and the ID header', () => {
    for (const binding of ofKind(wsdl, 'binding')) {
      const bound = ofKind(binding, 'operation')
      const port = binding.attributes.type?.replace('cwmp:', '') ?? ''
      expect(bound.map(({ attributes }) => attributes.name)).toEqual(
        operations(port).map(({ attributes }) => attributes.name),
      )
      for (const operation of bound) {
        const action = operation.children.find(({ name, uri }) => name === 'operation' && uri === SOAP)
        expect(action?.attributes.soapAction).toBe('')
        for (const way of ['input', 'output']) {
          const headers = ofKind(operation, way)[0]!.children.filter(({ name }) => name === 'header')
          expect(headers.map(({ attributes }) => attributes.part)).toContain('ID')
        }
      }
    }
  })
})
