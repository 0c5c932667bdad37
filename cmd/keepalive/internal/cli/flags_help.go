package cli

import (
	"bytes"

	"github.com/spf13/cobra"
)

// helpWidth is how wide a help text is at most.
const helpWidth = 80

// inOnePiece is a help that does not print an error of the output, which Run does, and
// whose flags are not wider than helpWidth.
func inOnePiece(help func(*cobra.Command, []string)) func(*cobra.Command, []string) {
	return func(cmd *cobra.Command, args []string) {
		out := cmd.OutOrStdout()
		var text bytes.Buffer
		cmd.SetOut(&text)
		help(cmd, args)
		cmd.SetOut(out)
		flags := cmd.LocalFlags()
		wide, narrow := []byte(flags.FlagUsages()), []byte(flags.FlagUsagesWrapped(helpWidth))
		out.Write(bytes.Replace(text.Bytes(), bytes.TrimSpace(wide), bytes.TrimSpace(narrow), 1))
	}
}

// showSchema lets the help end with the schema where --json is asked for.
func showSchema(cmd *cobra.Command, schema string) {
	help := inOnePiece(cmd.HelpFunc())
	cmd.SetHelpFunc(func(c *cobra.Command, args []string) {
		help(c, args)
		if asked, err := c.Flags().GetBool("json"); err == nil && asked {
			c.Print("\nThe objects of --json:\n\n" + schema)
		}
	})
}
