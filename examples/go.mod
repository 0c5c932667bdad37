module github.com/tcpkeepalive/keepalive/examples

go 1.26.0

require github.com/tcpkeepalive/keepalive v0.1.0

require golang.org/x/sys v0.49.0 // indirect
