#!/bin/sh
# start the proxy
docker run -d --rm --name proxy \
  --sysctl net.ipv4.tcp_keepalive_time=120 --sysctl=net.ipv4.tcp_keepalive_intvl=15 \
  -p 80:80 "nginx:1.27" nginx -g 'daemon off;'
