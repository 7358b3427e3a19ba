{{- /* The pod template of a shard. Call: (dict "root" $ "shard" NUMBER) */ -}}
{{- define "drs-exporter.pod" -}}
{{- $shard := .shard -}}
{{- $selector := dict "matchLabels" (include "drs-exporter.shardSelector" . | fromYaml) -}}
{{- with .root -}}
metadata:
  labels:
    {{- include "drs-exporter.labels" . | nindent 4 }}
    drs-exporter/shard: {{ $shard | quote }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- $annotations := deepCopy .Values.podAnnotations }}
  {{- if .Values.config }}
  {{- $_ := set $annotations "checksum/config" (include "drs-exporter.config" . | sha256sum) }}
  {{- end }}
  {{- with $annotations }}
  annotations: {{ toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "drs-exporter.serviceAccount" . | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext: {{ toYaml .Values.podSecurityContext | nindent 4 }}
  {{- range $key := list "imagePullSecrets" "priorityClassName" "nodeSelector" "tolerations" "affinity" }}
  {{- with index $.root.Values $key }}
  {{ $key }}: {{ toJson . }}
  {{- end }}
  {{- end }}
  {{- if .Values.topologySpreadConstraints }}
  topologySpreadConstraints: {{ toYaml .Values.topologySpreadConstraints | nindent 4 }}
  {{- else if gt (int .Values.replicas) 1 }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector: {{ toJson $selector }}
  {{- end }}
  containers:
    - {{ include "drs-exporter.container" $ | nindent 6 | trim }}
  volumes:
    - {{ include "drs-exporter.configVolume" . | nindent 6 | trim }}
    {{- range .Values.secrets.files }}
    - name: secret-{{ . }}
      secret: {secretName: {{ quote . }}, defaultMode: 0440}
    {{- end }}
    {{- with .Values.web.configSecret }}
    - name: web
      secret: {secretName: {{ quote . }}, defaultMode: 0440}
    {{- end }}
    {{- with .Values.extraVolumes }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end -}}
{{- end -}}

{{- define "drs-exporter.container" -}}
{{- $shard := .shard -}}
{{- with .root -}}
{{- if eq (int .Values.web.healthPort) 10826 -}}
{{- fail "web.healthPort: 10826 is the port of the metrics, choose another one" -}}
{{- end -}}
name: exporter
image: {{ include "drs-exporter.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args:
  - run
  - --config.file=/etc/drs-exporter/config.yaml
  - --web.listen-address=:10826
  - --web.health-address=:{{ .Values.web.healthPort }}
  - --log.level={{ .Values.log.level }}
  - --log.format={{ .Values.log.format }}
  {{- if gt (int .Values.shards) 1 }}
  - --shard={{ $shard }}/{{ .Values.shards }}
  {{- end }}
  {{- if .Values.web.configSecret }}
  - --web.config.file=/etc/drs-exporter-web/web-config.yml
  {{- end }}
  {{- with .Values.web.externalUrl }}
  - {{ printf "--web.external-url=%s" . | quote }}
  {{- end }}
  {{- with .Values.web.routePrefix }}
  - {{ printf "--web.route-prefix=%s" . | quote }}
  {{- end }}
  {{- with .Values.extraArgs }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with .Values.secrets.env }}
envFrom:
  {{- range . }}
  - secretRef: {name: {{ quote . }}}
  {{- end }}
{{- end }}
{{- with .Values.extraEnv }}
env: {{ toYaml . | nindent 2 }}
{{- end }}
ports:
  - {name: metrics, containerPort: 10826, protocol: TCP}
  - {name: health, containerPort: {{ .Values.web.healthPort }}, protocol: TCP}
livenessProbe:
  httpGet: {path: /-/healthy, port: health}
  initialDelaySeconds: 10
  periodSeconds: 20
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /-/ready, port: health}
  periodSeconds: 5
  timeoutSeconds: 5
resources: {{ toYaml .Values.resources | nindent 2 }}
securityContext: {{ toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  - {name: config, mountPath: /etc/drs-exporter, readOnly: true}
  {{- range .Values.secrets.files }}
  - {name: secret-{{ . }}, mountPath: /run/secrets/drs-exporter/{{ . }}, readOnly: true}
  {{- end }}
  {{- if .Values.web.configSecret }}
  - {name: web, mountPath: /etc/drs-exporter-web, readOnly: true}
  {{- end }}
  {{- if .Values.storage.enabled }}
  - {name: storage, mountPath: /var/lib/drs-exporter}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end -}}
{{- end -}}
