// Written by `npm run pictures` from dist/; edits here are lost.

/** The path of a request through a scenario, in the language of Mermaid. */
export interface Picture {
  readonly title: string;
  readonly mermaid: string;
}

/** Pictures by scenario. */
export const PICTURES: Readonly<Record<string, readonly Picture[]>> = {
  "sidecar-http": [
    { title: "HTTP", mermaid: `flowchart LR
  client(["default<br/>http://www.aliyun.com/"])
  hop1["sidecar default"]
  client -->|"HTTP 80<br/>plain text"| hop1
  target(["www.aliyun.com:80"]):::delivered
  hop1 -->|"HTTP 80<br/>plain text"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
    { title: "HTTPS, which is not registered", mermaid: `flowchart LR
  client(["default<br/>https://www.aliyun.com/"])
  hop1["sidecar default"]:::refused
  client -->|"TLS 443<br/>the application's own TLS, SNI www.aliyun.com"| hop1
  end1{{"refused: BlackHoleCluster<br/>the proxy cuts the connection to www.aliyun.com:443: ServiceEntry default/entry-x declares 80 HTTP, not port 443"}}:::refused
  hop1 -.-x end1
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
  ],
  "sidecar-http-https": [
    { title: "HTTPS made by the application", mermaid: `flowchart LR
  client(["default<br/>https://www.aliyun.com/"])
  hop1["sidecar default<br/>ServiceEntry default/entry-x<br/>spec.ports"]
  client -->|"TLS 443<br/>the application's own TLS, SNI www.aliyun.com"| hop1
  target(["www.aliyun.com:443"]):::delivered
  hop1 -->|"TLS 443<br/>the application's own TLS, SNI www.aliyun.com"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
  ],
  "sidecar-tls-origination": [
    { title: "Plain HTTP, made TLS by the sidecar", mermaid: `flowchart LR
  client(["default<br/>http://www.aliyun.com/"])
  hop1["sidecar default<br/>VirtualService default/rewrite-port-for-entry<br/>spec.http[0]<br/>DestinationRule default/originate-tls-for-entry<br/>spec.subsets[0]<br/>DestinationRule default/originate-tls-for-entry<br/>spec.subsets[0].trafficPolicy.portLevelSettings[0].tls.mode"]
  client -->|"HTTP 80<br/>plain text"| hop1
  target(["www.aliyun.com:443"]):::delivered
  hop1 -->|"HTTP 443<br/>TLS, SNI www.aliyun.com"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
  ],
  "gateway-http": [
    { title: "HTTP through the gateway", mermaid: `flowchart LR
  client(["default<br/>http://edition.cnn.com/"])
  hop1["sidecar default<br/>VirtualService default/direct-cnn-through-egress-gateway<br/>spec.http[0]<br/>DestinationRule default/egressgateway-for-cnn<br/>spec.subsets[0]"]
  client -->|"HTTP 80<br/>plain text"| hop1
  hop2["egress gateway istio-system/istio-egressgateway<br/>VirtualService default/direct-cnn-through-egress-gateway<br/>spec.http[1]<br/>Gateway default/istio-egressgateway<br/>spec.servers[0]"]
  hop1 -->|"HTTP 80<br/>plain text"| hop2
  target(["edition.cnn.com:80"]):::delivered
  hop2 -->|"HTTP 80<br/>plain text"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
  ],
  "gateway-tls-passthrough": [
    { title: "TLS of the application through the gateway", mermaid: `flowchart LR
  client(["default<br/>https://edition.cnn.com/"])
  hop1["sidecar default<br/>VirtualService default/direct-cnn-through-egress-gateway<br/>spec.tls[0]<br/>DestinationRule default/egressgateway-for-cnn<br/>spec.subsets[0]"]
  client -->|"TLS 443<br/>the application's own TLS, SNI edition.cnn.com"| hop1
  hop2["egress gateway istio-system/istio-egressgateway<br/>VirtualService default/direct-cnn-through-egress-gateway<br/>spec.tls[1]<br/>Gateway default/istio-egressgateway<br/>spec.servers[0]"]
  hop1 -->|"TLS 443<br/>the application's own TLS, SNI edition.cnn.com"| hop2
  target(["edition.cnn.com:443"]):::delivered
  hop2 -->|"TLS 443<br/>the application's own TLS, SNI edition.cnn.com"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
  ],
  "gateway-tls-origination": [
    { title: "Plain HTTP, made TLS by the gateway", mermaid: `flowchart LR
  client(["default<br/>http://edition.cnn.com/"])
  hop1["sidecar default<br/>VirtualService default/direct-cnn-through-egress-gateway<br/>spec.http[0]<br/>DestinationRule default/egressgateway-for-cnn<br/>spec.subsets[0]"]
  client -->|"HTTP 80<br/>plain text"| hop1
  hop2["egress gateway istio-system/istio-egressgateway<br/>VirtualService default/direct-cnn-through-egress-gateway<br/>spec.http[1]<br/>Gateway default/istio-egressgateway<br/>spec.servers[0]<br/>DestinationRule istio-system/originate-tls-for-edition-cnn-com<br/>spec.trafficPolicy.portLevelSettings[0].tls.mode"]
  hop1 -->|"HTTP 80<br/>plain text"| hop2
  target(["edition.cnn.com:443"]):::delivered
  hop2 -->|"HTTP 443<br/>TLS, SNI edition.cnn.com"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
  ],
  "external-https-proxy-transparent": [
    { title: "TLS that the sidecar tunnels", mermaid: `flowchart LR
  client(["default<br/>https://en.wikipedia.org/"])
  hop1["sidecar default<br/>VirtualService default/wikipedia-through-proxy<br/>spec.tls[0]<br/>DestinationRule default/proxy-tunnels<br/>spec.subsets[1].trafficPolicy.tunnel<br/>DestinationRule default/proxy-tunnels<br/>spec.subsets[1]"]
  client -->|"TLS 443<br/>the application's own TLS, SNI en.wikipedia.org"| hop1
  target(["en.wikipedia.org:443"]):::delivered
  tunnel["CONNECT proxy<br/>my-company-proxy.com:3128"]
  hop1 -->|"CONNECT en.wikipedia.org:443"| tunnel
  tunnel -->|"the application's own TLS, SNI en.wikipedia.org"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
    { title: "TLS that the gateway tunnels", mermaid: `flowchart LR
  client(["default<br/>https://edition.cnn.com/"])
  hop1["sidecar default<br/>VirtualService default/cnn-through-istio-egressgateway<br/>spec.tls[0]<br/>DestinationRule istio-system/istio-egressgateway-hop<br/>spec.subsets[0]"]
  client -->|"TLS 443<br/>the application's own TLS, SNI edition.cnn.com"| hop1
  hop2["egress gateway istio-system/istio-egressgateway<br/>VirtualService default/cnn-through-istio-egressgateway<br/>spec.tls[1]<br/>Gateway istio-system/istio-egressgateway<br/>spec.servers[0]<br/>DestinationRule default/proxy-tunnels<br/>spec.subsets[0].trafficPolicy.tunnel"]
  hop1 -->|"TLS 443<br/>the application's own TLS, SNI edition.cnn.com"| hop2
  target(["edition.cnn.com:443"]):::delivered
  tunnel["CONNECT proxy<br/>my-company-proxy.com:3128"]
  hop2 -->|"CONNECT edition.cnn.com:443"| tunnel
  tunnel -->|"the application's own TLS, SNI edition.cnn.com"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
  ],
  "apps-gateway-http": [
    { title: "HTTP, under STRICT", mermaid: `flowchart LR
  client(["outside<br/>http://www.example.com/httpbin/get"])
  hop1["Envoy Gateway envoy-gateway-system/envoy-httpbin-apps<br/>HTTPRoute httpbin/httpbin<br/>spec.rules[0]<br/>Gateway httpbin/apps<br/>spec.listeners[0]<br/>EnvoyProxy envoy-gateway-system/data-plane-sidecars<br/>spec.routingType"]
  client -->|"HTTP 80<br/>plain text"| hop1
  hop2["sidecar envoy-gateway-system/envoy-httpbin-apps"]
  hop1 -->|"HTTP 8000<br/>plain text"| hop2
  hop3["sidecar httpbin/httpbin<br/>PeerAuthentication istio-system/default<br/>spec.mtls.mode"]
  hop2 -->|"HTTP 8000<br/>Istio mutual TLS, SNI outbound_.8000_._.httpbin.httpbin.svc.cluster.local"| hop3
  target(["httpbin.httpbin.svc.cluster.local:8000"]):::delivered
  hop3 -->|"HTTP 8080<br/>plain text"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
  ],
  "apps-gateway-https": [
    { title: "HTTPS, under STRICT", mermaid: `flowchart LR
  client(["outside<br/>https://www.example.com/httpbin/get"])
  hop1["Envoy Gateway envoy-gateway-system/envoy-httpbin-apps<br/>HTTPRoute httpbin/httpbin<br/>spec.rules[0]<br/>Gateway httpbin/apps<br/>spec.listeners[0]<br/>EnvoyProxy envoy-gateway-system/data-plane-sidecars<br/>spec.routingType"]
  client -->|"HTTP 443<br/>TLS, SNI www.example.com"| hop1
  hop2["sidecar envoy-gateway-system/envoy-httpbin-apps"]
  hop1 -->|"HTTP 8000<br/>plain text"| hop2
  hop3["sidecar httpbin/httpbin<br/>PeerAuthentication istio-system/default<br/>spec.mtls.mode"]
  hop2 -->|"HTTP 8000<br/>Istio mutual TLS, SNI outbound_.8000_._.httpbin.httpbin.svc.cluster.local"| hop3
  target(["httpbin.httpbin.svc.cluster.local:8000"]):::delivered
  hop3 -->|"HTTP 8080<br/>plain text"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
  ],
  "istio-ingress-path": [
    { title: "By Gateway API", mermaid: `flowchart LR
  client(["outside<br/>http://www.example.com/httpbin/get"])
  hop1["ingress gateway httpbin/apps-istio-istio<br/>HTTPRoute httpbin/httpbin-istio<br/>spec.rules[0]<br/>Gateway httpbin/apps-istio<br/>spec.listeners[0]"]
  client -->|"HTTP 80<br/>plain text"| hop1
  hop2["sidecar httpbin/httpbin<br/>PeerAuthentication istio-system/default<br/>spec.mtls.mode"]
  hop1 -->|"HTTP 8000<br/>Istio mutual TLS, SNI outbound_.8000_._.httpbin.httpbin.svc.cluster.local"| hop2
  target(["httpbin.httpbin.svc.cluster.local:8000"]):::delivered
  hop2 -->|"HTTP 8080<br/>plain text"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
    { title: "By Istio's Gateway and VirtualService", mermaid: `flowchart LR
  client(["outside<br/>http://www.example.com/httpbin/get"])
  hop1["ingress gateway istio-system/istio-ingressgateway<br/>VirtualService httpbin/apps-classic<br/>spec.http[0]<br/>Gateway httpbin/apps-classic<br/>spec.servers[0]"]
  client -->|"HTTP 80<br/>plain text"| hop1
  hop2["sidecar httpbin/httpbin<br/>PeerAuthentication istio-system/default<br/>spec.mtls.mode"]
  hop1 -->|"HTTP 8000<br/>Istio mutual TLS, SNI outbound_.8000_._.httpbin.httpbin.svc.cluster.local"| hop2
  target(["httpbin.httpbin.svc.cluster.local:8000"]):::delivered
  hop2 -->|"HTTP 8080<br/>plain text"| target
  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3
  classDef delivered stroke:#1b7f3b,stroke-width:2px` },
  ],
};
