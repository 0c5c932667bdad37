module github.com/tcpkeepalive/keepalive/examples

go 1.26.0

require github.com/stretchr/testify v1.12.1

require (
	github.com/tcpkeepalive/keepalive v0.1.0
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
