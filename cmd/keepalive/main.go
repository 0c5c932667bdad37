// Command keepalive asks for TCP keepalive, and shows what the kernel made of
// it.
package main

import "github.com/spf13/cobra"

func main() { _ = cobra.Command{} }
