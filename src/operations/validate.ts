import { type OperationRequest, REQUEST_BOUNDS } from '../domain/index.ts'
import { atMost, type Findings, invalid, isWhole, readPath, type ValidationContext } from './validate-path.ts'
import { checkAdd, checkCommand, checkDelete, checkDownload, checkSet, checkSubscribe } from './validate-verbs.ts'

/**
 * Checks a request before anything is stored: path syntax, the device's root, bounds, and, for paths the model of that root and protocol
 * knows, whether they can be written and the value can be theirs. Unknown and vendor paths pass with a warning, because boxes know more
 * than models. Throws AppError `invalid` whose context names the path and the reason. Answers the warnings.
 */
export function validate(request: OperationRequest, context: ValidationContext): string[] {
  const findings: Findings = { ...context, warnings: [] }
  switch (request.verb) {
    case 'get':
      atMost(request.paths.length, REQUEST_BOUNDS.paths, 'paths')
      for (const text of request.paths) readPath(text, findings, ['object', 'parameter'], true)
      if (request.maxDepth !== undefined && !isWhole(request.maxDepth, REQUEST_BOUNDS.depth)) {
        throw invalid('maxDepth', `is a whole number from 0 to ${REQUEST_BOUNDS.depth}`)
      }
      break
    case 'instances':
      atMost(request.paths.length, REQUEST_BOUNDS.paths, 'paths')
      for (const text of request.paths) readPath(text, findings, ['object'], true)
      break
    case 'supported':
      readSupported(request.path, findings)
      break
    case 'discover':
      if (request.path !== undefined && request.path !== '') readPath(request.path, findings, ['object'])
      break
    case 'set':
      checkSet(request, findings)
      break
    case 'add':
      checkAdd(request, findings)
      break
    case 'delete':
      checkDelete(request, findings)
      break
    case 'operate':
      checkCommand(request, findings)
      break
    case 'subscribe':
      checkSubscribe(request, findings)
      break
    case 'download':
      checkDownload(request)
      break
    case 'reboot':
    case 'factoryReset':
      break
  }
  return findings.warnings
}

/** A path of a supported model has `{i}` where an instance stands (R-GSP): it is no path of an instance. */
function readSupported(text: string, findings: Findings): void {
  if (/\.\d+\.|[*[+]/.test(text)) throw invalid(text, 'names an instance; what is supported has {i} in its place')
  if (findings.protocol === 'cwmp' && text.includes('{i}')) throw invalid(text, 'has {i}, which CWMP does not have')
  readPath(text.replaceAll('{i}.', ''), findings, ['object'])
}
