import { readFileSync } from 'node:fs'

/** A file of the documentation page with its media type. */
interface PageFile {
  /** The last part of its address; empty for the page itself. */
  name: string
  type: string
  body: string
}

/**
 * Reads the files of the page that shows openapi.json. They hold no part of the API: the script fetches the description
 * with an API key, from the hash of the address (`#key=isthmus_...`, which no browser sends) or from the field, and
 * keeps the key in the tab.
 */
export function docsPage(): PageFile[] {
  return [
    { name: '', type: 'text/html; charset=utf-8', body: read('index.html') },
    { name: 'docs.css', type: 'text/css; charset=utf-8', body: read('docs.css') },
    { name: 'docs.js', type: 'text/javascript; charset=utf-8', body: read('docs.js') },
  ]
}

function read(name: string): string {
  return readFileSync(new URL(`./docs-page/${name}`, import.meta.url), 'utf8')
}
