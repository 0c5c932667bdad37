package inspect

import "fmt"

// named begins an error with the name of the package, where it leaves the package.
func named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("inspect: %w", err)
}
