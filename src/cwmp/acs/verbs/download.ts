import { defined } from '../../../base/index.ts'
import {
  type ExecuteHooks,
  failedResult,
  isVersion,
  type Operation,
  type OperationResult,
  outcomeError,
  REQUEST_BOUNDS,
  type RequestFor,
  versionAfter,
} from '../../../domain/index.ts'
import type { Session } from '../session/session.ts'
import { refused } from './outcome.ts'

/** Returns the address of a file of this server for the CPE of a session; undefined where it is not known. */
export type FileUrl = (session: Session, file: { kind: string; id: string; name: string }) => string | undefined

/** Has the CPE fetch a file (TR-069 A.3.2.8). */
export async function download(
  session: Session,
  request: RequestFor<'download'>,
  operation: Operation,
  hooks: ExecuteHooks,
): Promise<OperationResult> {
  await hooks.beforeSend()
  const answer = await session.call('Download', {
    CommandKey: operation.id,
    FileType: request.fileType ?? '1 Firmware Upgrade Image',
    URL: request.url,
    Username: request.username ?? '',
    Password: request.password ?? '',
    FileSize: request.fileSize ?? 0,
    TargetFileName: request.targetFileName ?? '',
    DelaySeconds: 0,
    SuccessURL: '',
    FailureURL: '',
  })
  if (!answer.ok) return refused(answer.fault)
  // CPE answer 0 (applied) while the work goes on: where the new version is known, it decides.
  const coming = request.version !== undefined && !isVersion(session.device.softwareVersion, request.version)
  return { outcome: answer.body.Status === 1 || coming ? 'pending' : 'done', results: [] }
}

/**
 * Has the CPE fetch the file of an operation from this server. Its name decides what RouterOS does with it: one that ends
 * in `.alter` is run as a script (RouterOS manual, TR-069 client).
 */
export async function ownFile(
  session: Session,
  fileType: string,
  name: string,
  operation: Operation,
  hooks: ExecuteHooks,
  fileUrl: FileUrl | undefined,
): Promise<OperationResult> {
  const url = fileUrl?.(session, { kind: 'operation', id: operation.id, name })
  if (url === undefined || url.length > REQUEST_BOUNDS.download.url)
    return failedResult(
      outcomeError(
        'noAddress',
        'the CPE has shown no address of this server that it can fetch from: set --cwmp-public-url',
      ),
    )
  return download(
    session,
    { verb: 'download', url, fileType, ...defined({ version: versionAfter(operation.request) }) },
    operation,
    hooks,
  )
}
