package flags

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// CompleteWords completes a flag with one of these words, or, where several may
// be given, the last of them. A flag that completes nothing has no words.
func CompleteWords(cmd *cobra.Command, flag string, words func() []string) {
	complete := func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before, directive := "", cobra.ShellCompDirectiveNoFileComp
		if strings.HasSuffix(cmd.Flags().Lookup(flag).Value.Type(), "Slice") {
			before = typed[:strings.LastIndexByte(typed, ',')+1]
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		var found []string
		for _, w := range words() {
			found = append(found, before+w)
		}
		return found, directive
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag does not exist, or has one already
	}
}

// CompleteFiles lets these flags complete files.
func CompleteFiles(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		if err := cmd.MarkFlagFilename(flag); err != nil {
			panic(err) // the flag does not exist
		}
	}
}

// CompleteNothingElse lets all other flags and the arguments complete nothing,
// rather than files.
func CompleteNothingElse(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		_, files := f.Annotations[cobra.BashCompFilenameExt]
		if _, has := cmd.GetFlagCompletionFunc(f.Name); has || files || f.NoOptDefVal != "" {
			return
		}
		if err := cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions); err != nil {
			panic(err)
		}
	})
	if cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
}
