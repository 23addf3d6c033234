{{- /* The command line: one flag a setting, as `traefik --help` names them. */ -}}
{{- define "traefik.args" -}}
- --global.checkNewVersion={{ .Values.global.checkNewVersion }}
- --global.sendAnonymousUsage={{ .Values.global.sendAnonymousUsage }}
- --ping=true
- --ping.entryPoint=traefik
- --api.dashboard={{ .Values.api.dashboard }}
{{- if .Values.api.insecure }}
- --api.insecure=true
{{- end }}
- --log.level={{ .Values.log.level }}
{{- with .Values.log.format }}
- --log.format={{ . }}
{{- end }}
{{- if .Values.log.noColor }}
- --log.noColor=true
{{- end }}
{{- if .Values.accessLog.enabled }}
- --accessLog=true
{{- with .Values.accessLog.format }}
- --accessLog.format={{ . }}
{{- end }}
{{- end }}
{{- with .Values.metrics.prometheus }}
- --metrics.prometheus=true
- --metrics.prometheus.entryPoint={{ .entryPoint }}
{{- range $key := list "addEntryPointsLabels" "addRoutersLabels" "addServicesLabels" }}
{{- $value := index $.Values.metrics.prometheus $key }}
{{- if not (kindIs "invalid" $value) }}
- --metrics.prometheus.{{ $key }}={{ $value }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $port := .Values.ports }}
{{- if $port }}
- --entryPoints.{{ $name }}.address=:{{ $port.port }}/{{ default "TCP" $port.protocol | lower }}
{{- if $port.asDefault }}
- --entryPoints.{{ $name }}.asDefault=true
{{- end }}
{{- with $port.forwardedHeaders }}
{{- if .insecure }}
- --entryPoints.{{ $name }}.forwardedHeaders.insecure=true
{{- end }}
{{- with .trustedIPs }}
- --entryPoints.{{ $name }}.forwardedHeaders.trustedIPs={{ join "," . }}
{{- end }}
{{- end }}
{{- with $port.proxyProtocol }}
{{- if .insecure }}
- --entryPoints.{{ $name }}.proxyProtocol.insecure=true
{{- end }}
{{- with .trustedIPs }}
- --entryPoints.{{ $name }}.proxyProtocol.trustedIPs={{ join "," . }}
{{- end }}
{{- end }}
{{- with $port.http }}
{{- with .tls }}
{{- if .enabled }}
- --entryPoints.{{ $name }}.http.tls=true
{{- with .options }}
- --entryPoints.{{ $name }}.http.tls.options={{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- with .middlewares }}
- --entryPoints.{{ $name }}.http.middlewares={{ join "," . }}
{{- end }}
{{- with .redirections }}
{{- with .entryPoint }}
{{- range $key, $value := . }}
- --entryPoints.{{ $name }}.http.redirections.entryPoint.{{ $key }}={{ $value }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with $port.transport }}
{{- with .lifeCycle }}
{{- range $key, $value := . }}
- --entryPoints.{{ $name }}.transport.lifeCycle.{{ $key }}={{ $value }}
{{- end }}
{{- end }}
{{- with .respondingTimeouts }}
{{- range $key, $value := . }}
- --entryPoints.{{ $name }}.transport.respondingTimeouts.{{ $key }}={{ $value }}
{{- end }}
{{- end }}
{{- range $key := list "keepAliveMaxRequests" "keepAliveMaxTime" }}
{{- with index $port.transport $key }}
- --entryPoints.{{ $name }}.transport.{{ $key }}={{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.providers.kubernetesIngress }}
{{- if .enabled }}
- --providers.kubernetesIngress=true
- --providers.kubernetesIngress.allowExternalNameServices={{ .allowExternalNameServices }}
- --providers.kubernetesIngress.allowEmptyServices={{ .allowEmptyServices }}
{{- with .ingressClass }}
- --providers.kubernetesIngress.ingressClass={{ . }}
{{- end }}
{{- with .labelSelector }}
- --providers.kubernetesIngress.labelSelector={{ . }}
{{- end }}
{{- with .namespaces }}
- --providers.kubernetesIngress.namespaces={{ join "," . }}
{{- end }}
{{- range $key := list "nativeLBByDefault" "disableIngressClassLookup" "strictPrefixMatching" }}
{{- if index $.Values.providers.kubernetesIngress $key }}
- --providers.kubernetesIngress.{{ $key }}=true
{{- end }}
{{- end }}
{{- if and $.Values.service.enabled .publishedService.enabled }}
- --providers.kubernetesIngress.ingressEndpoint.publishedService={{ default (printf "%s/%s" $.Release.Namespace (include "traefik.service" $)) .publishedService.pathOverride }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.providers.file }}
{{- if .enabled }}
- --providers.file.directory=/etc/traefik/dynamic
- --providers.file.watch={{ .watch }}
{{- end }}
{{- end }}
{{- range .Values.additionalArguments }}
- {{ . | quote }}
{{- end }}
{{- end -}}
