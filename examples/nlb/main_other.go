//go:build !linux

// Command nlb shows what a load balancer that forgets silent connections does to
// them. It needs Linux' network namespaces.
package main

import (
	"log"
)

func main() { log.Fatal("nlb: needs Linux") }
