/** The browsable page over openapi.json: one file, no scripts from elsewhere. The script is separate, as the page's policy wants it. */
export const DOCS_HTML = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Isthmus API</title>
<link rel="stylesheet" href="docs.css"></head><body><header><h1>Isthmus API</h1><p id="about"></p><input id="filter" type="search" placeholder="Filter: path or word" aria-label="Filter"></header><main id="routes">Loading…</main><script src="docs.js"></script></body></html>`

export const DOCS_CSS = `body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem;color:#1c2733}h1{margin:0}h2{margin-top:2rem;border-bottom:1px solid #ccd5de}input{width:100%;padding:.5rem;font:inherit;box-sizing:border-box}details{border:1px solid #ccd5de;border-radius:6px;margin:.4rem 0;padding:.4rem .7rem}summary{cursor:pointer}code,pre{font:13px/1.4 ui-monospace,monospace}pre{background:#f3f6f9;padding:.6rem;overflow:auto;border-radius:6px}.m{display:inline-block;width:4.2rem;font-weight:700}.get{color:#0a6b3d}.post{color:#8a4b00}.delete{color:#a3122a}.patch,.put{color:#3a4fb0}table{border-collapse:collapse;width:100%}td{padding:.15rem .5rem .15rem 0;vertical-align:top}`

export const DOCS_JS = `const text=(tag,value,cls)=>{const e=document.createElement(tag);e.textContent=value;if(cls)e.className=cls;return e};
fetch('openapi.json').then(r=>r.json()).then(doc=>{
 document.getElementById('about').textContent=doc.info.description+' Version '+doc.info.version+'. Send your key as Authorization: Bearer isthmus_…';
 const main=document.getElementById('routes');main.textContent='';const tags=new Map();
 for(const [path,item] of Object.entries(doc.paths))for(const [method,op] of Object.entries(item)){const tag=(op.tags||['Other'])[0];if(!tags.has(tag))tags.set(tag,[]);tags.get(tag).push([method,path,op])}
 const resolve=s=>s&&s.$ref?doc.components.schemas[s.$ref.split('/').pop()]:s;
 for(const [tag,list] of tags){const section=document.createElement('section');section.append(text('h2',tag));
  for(const [method,path,op] of list){const d=document.createElement('details');d.dataset.text=(method+' '+path+' '+op.summary).toLowerCase();const s=document.createElement('summary');s.append(text('span',method.toUpperCase(),'m '+method),text('code',path),document.createTextNode('  '+op.summary));d.append(s);
   if(op.description)d.append(text('p',op.description));
   if(op.parameters){const t=document.createElement('table');for(const p of op.parameters){const r=document.createElement('tr');r.append(text('td',p.in),text('td',p.name+(p.required?' *':'')),text('td',(p.description||(p.schema&&p.schema.description)||'')));t.append(r)}d.append(t)}
   const body=op.requestBody&&op.requestBody.content['application/json'];if(body){d.append(text('h4','Body'),text('pre',JSON.stringify(resolve(body.schema),null,1)))}
   for(const [status,r] of Object.entries(op.responses)){d.append(text('p',status+': '+r.description))}
   section.append(d)}main.append(section)}
 document.getElementById('filter').addEventListener('input',e=>{const q=e.target.value.toLowerCase();for(const d of document.querySelectorAll('details'))d.hidden=!d.dataset.text.includes(q)});
}).catch(e=>{document.getElementById('routes').textContent='The description could not be loaded: '+e});`
