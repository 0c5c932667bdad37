package cli

var commands = []Command{
	{Name: "check", New: newCheck},
	{Name: "demo", New: newDemo},
	{Name: "discover", New: newDiscover},
	{Name: "ls", New: newLs},
	{Name: "plan", New: newPlan},
	{Name: "profiles", New: newProfiles},
	{Name: "trace", New: newTrace},
	{Name: "watch", New: newWatch},
}

// Commands are those of the program.
var Commands = commands
