import {
  arrayOf,
  boolean,
  type Codec,
  dateTime,
  int,
  looseUnsignedInt,
  repeated,
  string,
  struct,
  type TypeOf,
  unsignedInt,
} from './schema.ts'
import {
  ArgStruct,
  AutonOpResultStruct,
  DeviceIdStruct,
  EventStruct,
  FaultStruct,
  MethodList,
  OpResultStruct,
  ParameterAttributeStruct,
  ParameterInfoStruct,
  ParameterNames,
  ParameterValueList,
  SetParameterAttributesStruct,
} from './structs.ts'

type Members = Record<string, Codec<unknown>>

/** A method of TR-069 Annex A: who may call it, its arguments and its response, both in schema order. */
interface Rpc<Q extends Members = Members, S extends Members = Members> {
  from: 'acs' | 'cpe' | 'both'
  request: ReturnType<typeof struct<Q>>
  response: ReturnType<typeof struct<S>>
}

function rpc<Q extends Members, S extends Members>(from: Rpc['from'], request: Q, response: S): Rpc<Q, S> {
  return { from, request: struct(request), response: struct(response) }
}

const transferArguments = {
  CommandKey: string(256),
  FileType: string(64),
  URL: string(256),
  Username: string(256),
  Password: string(256),
}
const transferResponse = { Status: int, StartTime: dateTime, CompleteTime: dateTime }

/** Every method either side knows, by its name on the wire. The dispatchers of both roles read nothing else. */
export const RPCS = {
  /**
   * A.3.3.1: a session begins. At most 64 events by the standard; some CPE keep more. Nothing depends on its numbers.
   */
  Inform: rpc(
    'cpe',
    {
      DeviceId: DeviceIdStruct,
      Event: arrayOf('EventStruct', 'cwmp:EventStruct', EventStruct, 1024),
      MaxEnvelopes: looseUnsignedInt(1),
      CurrentTime: dateTime,
      RetryCount: looseUnsignedInt(0),
      ParameterList: ParameterValueList,
    },
    { MaxEnvelopes: unsignedInt(1) },
  ),
  /** A.3.1.1: each side may ask the other what it can do. */
  GetRPCMethods: rpc('both', {}, { MethodList }),
  /** A.3.3.2 */
  TransferComplete: rpc(
    'cpe',
    { CommandKey: string(256), FaultStruct, StartTime: dateTime, CompleteTime: dateTime },
    {},
  ),
  /** A.3.3.3 */
  AutonomousTransferComplete: rpc(
    'cpe',
    {
      AnnounceURL: string(1024),
      TransferURL: string(1024),
      IsDownload: boolean,
      FileType: string(64),
      FileSize: unsignedInt(),
      TargetFileName: string(256),
      FaultStruct,
      StartTime: dateTime,
      CompleteTime: dateTime,
    },
    {},
  ),
  /** A.4.2.2 */
  RequestDownload: rpc(
    'cpe',
    { FileType: string(64), FileTypeArg: arrayOf('ArgStruct', 'cwmp:ArgStruct', ArgStruct, 16) },
    {},
  ),
  /** A.4.2.3: the operations of a ChangeDUState have ended. */
  DUStateChangeComplete: rpc('cpe', { Results: repeated(OpResultStruct, 256), CommandKey: string(256) }, {}),
  /** A.4.2.4: deployment units changed that the ACS did not ask for. */
  AutonomousDUStateChangeComplete: rpc('cpe', { Results: repeated(AutonOpResultStruct, 256) }, {}),
  /** A.4.2.1, obsolete: a user was sent here by a page of the CPE. */
  Kicked: rpc(
    'cpe',
    { Command: string(256), Referer: string(1024), Arg: string(1024), Next: string(1024) },
    { NextURL: string(1024) },
  ),
  /** A.3.2.1: all or nothing. */
  SetParameterValues: rpc('acs', { ParameterList: ParameterValueList, ParameterKey: string(32) }, { Status: int }),
  /** A.3.2.2 */
  GetParameterValues: rpc('acs', { ParameterNames }, { ParameterList: ParameterValueList }),
  /** A.3.2.3 */
  GetParameterNames: rpc(
    'acs',
    { ParameterPath: string(256), NextLevel: boolean },
    { ParameterList: arrayOf('ParameterInfoStruct', 'cwmp:ParameterInfoStruct', ParameterInfoStruct) },
  ),
  /** A.3.2.4 */
  SetParameterAttributes: rpc(
    'acs',
    {
      ParameterList: arrayOf(
        'SetParameterAttributesStruct',
        'cwmp:SetParameterAttributesStruct',
        SetParameterAttributesStruct,
      ),
    },
    {},
  ),
  /** A.3.2.5 */
  GetParameterAttributes: rpc(
    'acs',
    { ParameterNames },
    { ParameterList: arrayOf('ParameterAttributeStruct', 'cwmp:ParameterAttributeStruct', ParameterAttributeStruct) },
  ),
  /** A.3.2.6 */
  AddObject: rpc(
    'acs',
    { ObjectName: string(256), ParameterKey: string(32) },
    { InstanceNumber: unsignedInt(), Status: int },
  ),
  /** A.3.2.7 */
  DeleteObject: rpc('acs', { ObjectName: string(256), ParameterKey: string(32) }, { Status: int }),
  /** A.3.2.8 */
  Download: rpc(
    'acs',
    {
      ...transferArguments,
      FileSize: unsignedInt(),
      TargetFileName: string(256),
      DelaySeconds: unsignedInt(),
      SuccessURL: string(256),
      FailureURL: string(256),
    },
    transferResponse,
  ),
  /** A.3.2.9 */
  Reboot: rpc('acs', { CommandKey: string(32) }, {}),
  /** A.4.1.6 */
  FactoryReset: rpc('acs', {}, {}),
  /** A.4.1.5 */
  Upload: rpc('acs', { ...transferArguments, DelaySeconds: unsignedInt() }, transferResponse),
  /** A.4.1.3 */
  ScheduleInform: rpc('acs', { DelaySeconds: unsignedInt(), CommandKey: string(32) }, {}),
} satisfies Record<string, Rpc>

export type RpcName = keyof typeof RPCS
export type RequestOf<N extends RpcName> = TypeOf<(typeof RPCS)[N]['request']>
export type ResponseOf<N extends RpcName> = TypeOf<(typeof RPCS)[N]['response']>

export function isRpcName(name: string): name is RpcName {
  return Object.hasOwn(RPCS, name)
}
