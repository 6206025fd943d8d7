import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAcsEnvelope } from '../../../src/cwmp/cpe/acs-messages.ts'
import { envelope } from '../../support/scripted-acs.ts'

const VECTORS = join(import.meta.dirname, '../../vectors/cwmp/methods')
/** Messages of an ACS that these devices can read. */
const FROM_ACS = [
  'get-rpc-methods',
  'set-parameter-values',
  'get-parameter-values',
  'get-parameter-names',
  'set-parameter-attributes',
  'get-parameter-attributes',
  'add-object',
  'delete-object',
  'reboot',
  'factory-reset',
  'schedule-inform',
  'download',
  'inform-response',
  'transfer-complete-response',
  'fault-of-acs',
  'fault-of-acs-arguments',
]

const read = (xml: string, contentType = 'text/xml; charset=utf-8') => readAcsEnvelope(Buffer.from(xml), contentType)
const messageOf = (inner: string) => read(envelope(inner, { id: '1' })).message
const values = (inner: string, attributes = '') =>
  `<c:SetParameterValues><ParameterList${attributes}>${inner}</ParameterList><ParameterKey/></c:SetParameterValues>`
const value = (text: string) => `<ParameterValueStruct><Name>A.B</Name>${text}</ParameterValueStruct>`

describe('the reader of a CPE', () => {
  it.each(FROM_ACS)('reads %s as the vector of TR-069 has it', (name) => {
    const { urn, header, message } = JSON.parse(readFileSync(join(VECTORS, `${name}.json`), 'utf8'))
    expect(read(readFileSync(join(VECTORS, `${name}.xml`), 'utf8'))).toEqual({ urn, header, message })
  })

  it('resolves references and takes CDATA as it is', () => {
    const message = messageOf(values(value('<Value i:type="d:string">&lt;&amp;&#65;&#x42;<![CDATA[<&amp;]]></Value>')))
    expect(message).toMatchObject({ body: { ParameterList: [{ value: '<&AB<&amp;' }] } })
  })

  it('reads header elements of CWMP alone', () => {
    const header = '<c:HoldRequests>1</c:HoldRequests><UseCWMPVersion>1.2</UseCWMPVersion>'
    expect(read(envelope('<c:FactoryReset/>', { id: 'x', header })).header).toEqual({ id: 'x', holdRequests: true })
  })

  it.each([
    ['a tag that is not closed', '<a>'],
    ['two roots', '<a/><b/>'],
    ['a document type', '<!DOCTYPE a><a/>'],
    ['nothing', ''],
    ['an entity of its own', envelope('<c:Reboot><CommandKey>&own;</CommandKey></c:Reboot>')],
    ['a bare ampersand', envelope('<c:Reboot><CommandKey>a & b</CommandKey></c:Reboot>')],
    ['a prefix without a declaration', envelope('<x:Reboot/>')],
    ['a type with a prefix without a declaration', envelope(values(value('<Value i:type="xsd:string">1</Value>')))],
  ])('refuses %s as XML', (_name, xml) => {
    expect(() => read(xml)).toThrow(expect.objectContaining({ code: 'xml' }))
  })

  it.each([
    ['another root', '<a/>'],
    ['an envelope of no namespace', '<Envelope><Body/></Envelope>'],
    ['two body elements', envelope('<c:FactoryReset/><c:FactoryReset/>')],
    ['a SOAP fault without its CWMP fault', envelope('<e:Fault><faultcode>Server</faultcode></e:Fault>')],
  ])('refuses %s', (_name, xml) => {
    expect(() => read(xml)).toThrow(expect.objectContaining({ code: 'envelope' }))
  })

  it('refuses another charset, and bytes that are none', () => {
    const code = expect.objectContaining({ code: 'charset' })
    expect(() => read(envelope('<c:FactoryReset/>'), 'text/xml; charset=iso-8859-1')).toThrow(code)
    expect(() => readAcsEnvelope(Buffer.from([0x3c, 0xff]), undefined)).toThrow(code)
  })

  it.each([
    ['a missing argument', '<c:AddObject><ObjectName>A.</ObjectName></c:AddObject>'],
    ['an argument twice', '<c:Reboot><CommandKey/><CommandKey/></c:Reboot>'],
    ['an unknown argument', '<c:FactoryReset><Now/></c:FactoryReset>'],
    ['an argument in a namespace', '<c:Reboot><c:CommandKey/></c:Reboot>'],
    ['elements in a text', '<c:Reboot><CommandKey><a/></CommandKey></c:Reboot>'],
    ['a text that is too long', `<c:Reboot><CommandKey>${'k'.repeat(33)}</CommandKey></c:Reboot>`],
    ['a number that is none', '<c:ScheduleInform><DelaySeconds>-1</DelaySeconds><CommandKey/></c:ScheduleInform>'],
    ['a boolean that is none', '<c:GetParameterNames><ParameterPath/><NextLevel>yes</NextLevel></c:GetParameterNames>'],
    ['an item of another name', values('<Value/>')],
    ['an array of another size', values(value('<Value/>'), ' n:arrayType="c:ParameterValueStruct[2]"')],
    ['a value without its element', values(value(''))],
  ])('answers %s with the error of that method', (_name, inner) => {
    expect(messageOf(inner)).toMatchObject({ kind: 'unknown', error: { code: 'type' } })
  })

  it.each(['<c:Upload/>', '<c:Nope/>', '<c:NopeResponse/>'])('knows nothing of %s', (inner) => {
    expect(messageOf(inner)).toEqual({ kind: 'unknown', name: inner.slice(3, -2) })
  })
})
