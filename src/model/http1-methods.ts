/**
 * Methods that Envoy knows in requests of HTTP/1.1: others it answers with 400 before any filter sees them (balsa_parser.cc; each was
 * sent to Envoy 1.37). Over HTTP/2 it takes any.
 */
export const HTTP1_METHODS: ReadonlySet<string> = new Set(
  `GET HEAD POST PUT DELETE OPTIONS TRACE PATCH CONNECT ACL BIND CHECKOUT COPY LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH
  NOTIFY PROPFIND PROPPATCH PURGE REBIND REPORT SEARCH SOURCE SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE`.split(/\s+/),
);
