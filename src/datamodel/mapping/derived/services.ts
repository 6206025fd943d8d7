import { isTrue } from '../booleans.ts'
import { FORWARDING, IGD, LINE, PROFILE, ROUTE_181, VOICE_181 } from '../tree/linked.ts'
import { instancesOf } from '../tree/raw-tree.ts'
import type { Derived, DerivedContext } from './derived.ts'
import { ownerOf, withoutDot } from './shared.ts'

const NETWORK = `${VOICE_181}SIP.Network.{i}.`
const QOS = `${IGD}QueueManagement.`

/** Derived parameters of routing, QoS, diagnostics and voice. */
export const SERVICE_DERIVED: readonly Derived[] = [
  {
    to: 'Device.DNS.Client.Enable',
    from: '',
    value: ({ links }) => (links.rowsIn('Device.DNS.Client.Server.').length > 0 ? 'true' : undefined),
  },
  { to: 'Device.Routing.Router.{i}.Enable', from: '', value: (context) => (routes(context) ? 'true' : undefined) },
  { to: 'Device.Routing.Router.{i}.Status', from: '', value: (context) => (routes(context) ? 'Enabled' : undefined) },
  {
    to: `${ROUTE_181}Origin`,
    from: FORWARDING,
    needs: ['StaticRoute'],
    value: ({ object, tree }) => (isTrue(tree.value(`${object}StaticRoute`)) ? 'Static' : undefined),
  },
  {
    to: 'Device.QoS.Classification.{i}.AllInterfaces',
    from: `${QOS}Classification.{i}.`,
    needs: ['ClassInterface'],
    value: ({ object, tree }) => isEmpty(tree.value(`${object}ClassInterface`)),
  },
  {
    to: 'Device.QoS.Queue.{i}.AllInterfaces',
    from: `${QOS}Queue.{i}.`,
    needs: ['QueueInterface'],
    value: ({ object, tree }) => isEmpty(tree.value(`${object}QueueInterface`)),
  },
  whereKnown('Device.UserInterface.HTTPAccess.{i}.AccessType', `${IGD}UserInterface.RemoteAccess.`, 'RemoteAccess'),
  whereKnown('Device.Time.Client.{i}.Mode', `${IGD}Time.`, 'Unicast'),
  whereKnown('Device.IP.Diagnostics.IPPing.ProtocolVersion', `${IGD}IPPingDiagnostics.`, 'Any'),
  whereKnown('Device.IP.Diagnostics.TraceRoute.ProtocolVersion', `${IGD}TraceRouteDiagnostics.`, 'Any'),
  {
    to: `${NETWORK}VoIPProfile`,
    from: PROFILE,
    value: ({ row }) => withoutDot(row.replace('SIP.Network', 'VoIPProfile')),
  },
  {
    to: `${VOICE_181}SIP.Client.{i}.Network`,
    from: LINE,
    value: ({ row, object }) => {
      const service = row.slice(0, row.indexOf('SIP.Client.'))
      const profile = ownerOf(object, '.VoiceProfile.')
      return `${service}SIP.Network.${profile.slice(profile.lastIndexOf('.', profile.length - 2) + 1, -1)}`
    },
  },
  {
    to: `${VOICE_181}CallControl.Line.{i}.Provider`,
    from: LINE,
    value: ({ row }) => withoutDot(row.replace('CallControl.Line', 'SIP.Client')),
  },
  {
    to: `${VOICE_181}CallControl.Line.{i}.CallingFeatures`,
    from: LINE,
    value: ({ row }) => withoutDot(row.replace('CallControl.Line', 'CallControl.CallingFeatures.Set')),
  },
  {
    to: `${NETWORK}CodecList`,
    from: PROFILE,
    needs: ['Line.{i}.Codec.List.{i}.Enable', 'Line.{i}.Codec.List.{i}.Priority'],
    value: codecList,
  },
]

/** Returns true for a device that routes: it has routes, or a connection with a gateway. */
function routes({ links, tree }: DerivedContext): boolean {
  return (
    tree.children(`${IGD}Layer3Forwarding.`).length > 0 ||
    links.rowsIn('Device.Routing.Router.1.IPv4Forwarding.').length > 0
  )
}

/** A fixed value, on devices that have the object it belongs to. */
function whereKnown(to: string, object: string, value: string): Derived {
  return { to, from: '', value: ({ tree }) => (tree.children(object).length > 0 ? value : undefined) }
}

function isEmpty(value: string | undefined): string | undefined {
  return value === undefined ? undefined : String(value === '')
}

/** The enabled codecs of the first line of a profile, by their Priority. */
function codecList({ object, links, tree }: DerivedContext): string | undefined {
  const [line] = instancesOf(tree, `${object}Line.`)
  if (line === undefined) return undefined
  const priority = (codec: string) => Number(tree.value(`${codec}Priority`) ?? 0) || 0
  return instancesOf(tree, `${line}Codec.List.`)
    .filter((codec) => isTrue(tree.value(`${codec}Enable`)))
    .sort((a, b) => priority(a) - priority(b))
    .flatMap((codec) => withoutDot(links.rowsOf(codec)[0]) ?? [])
    .join(',')
}
