package cloud

import "context"

// EnabledServices lists the services that are on in a project.
func (c *Clients) EnabledServices(ctx context.Context, project string) (map[string]bool, error) {
	if err := check(projectForm, project, "a project"); err != nil {
		return nil, err
	}
	return c.enabledServices(ctx, project)
}

// IsDisabled reports whether a call was refused because its API is off, in the project that it is charged to or is about.
func IsDisabled(err error) bool { return hasReason(err, "SERVICE_DISABLED") }

// LacksPermission reports whether a call was refused because our account lacks a permission, whatever it asked for.
func LacksPermission(err error) bool { return hasReason(err, "IAM_PERMISSION_DENIED") }
