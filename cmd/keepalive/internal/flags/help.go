package flags

import (
	"bytes"

	"github.com/spf13/cobra"
)

// HelpWidth is how wide a help text is at most.
const HelpWidth = 80

// InOnePiece is a help that does not print an error of the output, which Run does, and
// whose flags are not wider than HelpWidth.
func InOnePiece(help func(*cobra.Command, []string)) func(*cobra.Command, []string) {
	return func(cmd *cobra.Command, args []string) {
		out := cmd.OutOrStdout()
		var text bytes.Buffer
		cmd.SetOut(&text)
		help(cmd, args)
		cmd.SetOut(out)
		flags := cmd.LocalFlags()
		wide, narrow := []byte(flags.FlagUsages()), []byte(flags.FlagUsagesWrapped(HelpWidth))
		out.Write(bytes.Replace(text.Bytes(), bytes.TrimSpace(wide), bytes.TrimSpace(narrow), 1))
	}
}

// ShowSchema lets the help end with the schema where --json is asked for.
func ShowSchema(cmd *cobra.Command, schema string) {
	help := InOnePiece(cmd.HelpFunc())
	cmd.SetHelpFunc(func(c *cobra.Command, args []string) {
		help(c, args)
		if asked, err := c.Flags().GetBool("json"); err == nil && asked {
			c.Print("\nThe objects of --json:\n\n" + schema)
		}
	})
}
