/** What the page does: find, show a path, switch between light and dark. Plain JavaScript, with nothing from elsewhere. */
export const PAGE_SCRIPT = `
(function(){
var root=document.documentElement,theme=document.getElementById('theme');
function dark(){return root.dataset.theme?root.dataset.theme==='dark':matchMedia('(prefers-color-scheme: dark)').matches}
function paint(){theme.setAttribute('aria-pressed',String(dark()))}
theme.addEventListener('click',function(){root.dataset.theme=dark()?'light':'dark';paint()});paint();
var search=document.getElementById('search');if(!search)return;
var data=JSON.parse(document.getElementById('data').textContent),found=document.getElementById('found');
var lanes=[].slice.call(document.querySelectorAll('.lane'));
function find(){
  var words=search.value.toLowerCase().split(/\\s+/).filter(Boolean),hosts=0,ways=0;
  lanes.forEach(function(lane){
    var own=lane.dataset.text,hits=0,all=words.every(function(w){return own.indexOf(w)>=0});
    [].forEach.call(lane.querySelectorAll('.host'),function(host){
      var text=own+' '+host.textContent.toLowerCase(),hit=words.length>0&&!all&&words.every(function(w){return text.indexOf(w)>=0});
      host.classList.toggle('hit',hit);if(hit)hits++;
      host.parentNode.hidden=words.length>0&&!all&&!hit;
    });
    lane.hidden=words.length>0&&!all&&hits===0;
    if(!lane.hidden){ways++;hosts+=all?lane.querySelectorAll('.host').length:hits}
    var more=lane.querySelector('details');if(more)more.open=words.length>0&&!all&&hits>0;
  });
  found.textContent=words.length?hosts+(hosts===1?' way':' ways')+' in '+ways+(ways===1?' group':' groups'):'';
}
search.addEventListener('input',find);
if(location.hash.indexOf('#q=')===0){search.value=decodeURIComponent(location.hash.slice(3));find()}
document.addEventListener('keydown',function(e){
  if(e.key==='/'&&document.activeElement!==search&&!e.ctrlKey&&!e.metaKey){e.preventDefault();search.focus()}
  if(e.key==='Escape'&&document.activeElement===search){search.value='';find()}
});
var dialog=document.getElementById('path'),body=document.getElementById('path-body'),title=document.getElementById('path-title');
function add(parent,name,text,cls){var el=document.createElement(name);if(text)el.textContent=text;if(cls)el.className=cls;parent.appendChild(el);return el}
function show(path){
  title.textContent=path.stops[0].text.join(' ');body.textContent='';
  var list=add(body,'ol','','path');
  path.stops.forEach(function(stop,i){
    var item=add(list,'li','',stop.kind);add(item,'span',stop.role+' ','muted');add(item,'b',stop.name);
    if(i>0)stop.text.forEach(function(t){add(item,'p',t)});
    if(stop.decides.length){var ul=add(item,'ul');stop.decides.forEach(function(d){var li=add(ul,'li',d.object+' ');d.fields.forEach(function(f){add(li,'code',f+' ')})})}
    var link=path.links[i];
    if(link&&link.label){var p=add(item,'p','','sent');p.appendChild(document.getElementById(link.tls==='NONE'?'unlocked':'locked').content.cloneNode(true));p.appendChild(document.createTextNode(' '+link.label+(link.port?', port '+link.port:'')+(link.sni?', SNI '+link.sni:'')))}
  });
  path.notes.forEach(function(n){add(body,'p','Note: '+n,'muted')});
  dialog.showModal();
}
document.addEventListener('click',function(e){
  var host=e.target.closest&&e.target.closest('.host');
  if(host)show(data[host.dataset.lane][host.dataset.flow]);
});
})();
`.trim();
