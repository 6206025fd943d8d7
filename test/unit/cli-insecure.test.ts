import { describe, expect, it } from 'vitest'
import { certificateSources } from '../../src/cli/parts/certificates.ts'
import { insecureSettings } from '../../src/cli/parts/insecure.ts'
import { readConfig } from '../../src/config/index.ts'

const PEM = import.meta.filename
const config = (options: Record<string, string> = {}) => readConfig({ host: '127.0.0.1', ...options }, {})
const found = (options: Record<string, string> = {}, flags = {}) =>
  insecureSettings(config(options), flags).map(({ option }) => option)

describe('insecure settings', () => {
  it('are none on this machine alone', () => {
    expect(found()).toEqual([])
    expect(found({ mongodbUri: 'mongodb://127.0.0.1:27017,[::1]:27018/?replicaSet=rs0' })).toEqual([])
    expect(found({ apiCorsOrigins: 'https://console.example.net,http://localhost:5173' })).toEqual([])
  })

  it.each<[string, Record<string, string>, string[]]>([
    ['an API without TLS on the network', { apiHost: '0.0.0.0', apiTls: 'off' }, ['--api-tls']],
    ['an API with a certificate that nobody knows', { apiHost: '::' }, ['--api-tls-cert']],
    ['an API with a certificate of its own', { apiHost: '::', apiTlsCert: PEM, apiTlsKey: PEM }, []],
    ['an API with the certificate of all', { apiHost: '::', tlsCert: PEM, tlsKey: PEM }, []],
    ['devices without TLS on the network', { host: '0.0.0.0' }, ['--plain-cwmp', '--plain-usp']],
    ['plain CWMP beside TLS', { host: '0.0.0.0', tlsCert: PEM, tlsKey: PEM }, ['--plain-cwmp']],
    ['TLS alone', { host: '0.0.0.0', tlsCert: PEM, tlsKey: PEM, plainCwmp: 'false' }, []],
    ['TLS by the server’s own certificate', { host: '0.0.0.0', plainCwmp: 'false', plainUsp: 'false' }, []],
    ['enrolment of all', { enrolment: 'open' }, ['--enrolment']],
    ['admission of all', { agentAdmission: 'open' }, ['--agent-admission']],
    ['enrolment again by anyone', { reEnrolment: 'bootstrap' }, ['--re-enrolment']],
    ['passwords in clear', { allowBasicOverHttp: 'true' }, ['--allow-basic-over-http']],
    ['passwords over TLS alone', { allowBasicOverHttp: 'true', plainCwmp: 'false' }, []],
    ['a MongoDB without login', { mongodbUri: 'mongodb://a:27017,b:27017/x?replicaSet=rs0' }, ['--mongodb-uri']],
    ['a MongoDB with login', { mongodbUri: 'mongodb://user:secret@a:27017/' }, []],
    ['a MongoDB with certificates', { mongodbUri: 'mongodb://a/?authMechanism=MONGODB-X509&tls=true' }, []],
    ['pages over plain HTTP', { apiCorsOrigins: 'http://console.example.net' }, ['--api-cors-origins']],
  ])('%s', (_, options, expected) => {
    expect(found(options)).toEqual(expected)
  })

  it('are secrets on the command line', () => {
    expect(found({ secretKey: 'x' })).toEqual([])
    expect(found({ secretKey: 'x' }, { secretKey: 'x' })).toEqual(['--secret-key'])
  })

  it('are one line each that says what to do', () => {
    const options = { host: '0.0.0.0', apiHost: '0.0.0.0', apiTls: 'off', enrolment: 'open' }
    for (const { line } of insecureSettings(config(options))) expect(line).toMatch(/^[^\n]{30,250}$/)
  })
})

describe('the certificate of a listener', () => {
  const given = { tlsCert: PEM, tlsKey: PEM }
  const own = { apiTlsCert: PEM, apiTlsKey: PEM }
  it.each<[string, Record<string, string>, ReturnType<typeof certificateSources>]>([
    ['none by default', {}, { cwmp: undefined, usp: undefined, api: undefined }],
    ['given for devices', given, { cwmp: 'given', usp: 'given', api: undefined }],
    ['given for all on the network', { ...given, apiHost: '0.0.0.0' }, { cwmp: 'given', usp: 'given', api: 'given' }],
    ['of the API', own, { cwmp: undefined, usp: undefined, api: 'api' }],
    ['of the server', { apiHost: '::' }, { cwmp: undefined, usp: undefined, api: 'own' }],
    ['of the server, wanted', { apiTls: 'on' }, { cwmp: undefined, usp: undefined, api: 'own' }],
    ['none behind a proxy', { apiHost: '0.0.0.0', apiTls: 'off' }, { cwmp: undefined, usp: undefined, api: undefined }],
    [
      'of the server for devices',
      { plainCwmp: 'false', plainUsp: 'false' },
      { cwmp: 'own', usp: 'own', api: undefined },
    ],
  ])('is %s', (_, options, expected) => {
    expect(certificateSources(config(options))).toEqual(expected)
  })
})
