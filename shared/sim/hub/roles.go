package hub

import "slices"

// The roles of the guide.
const (
	ProviderAdmin           = "msp:provider_admin"
	ProviderOperationsAdmin = "msp:provider_operations_admin"
	ProviderAccountAdmin    = "msp:provider_account_admin"
	ProviderBillingUser     = "msp:provider_billing_user"
	ProviderSupportUser     = "msp:provider_support_user"
	TenantAdmin             = "msp:tenant_admin"
	TenantUser              = "msp:tenant_user"
	TenantBillingUser       = "msp:tenant_billing_user"
)

var roleNames = map[string]string{
	ProviderAdmin:           "Provider Administrator",
	ProviderOperationsAdmin: "Provider Operations Administrator",
	ProviderAccountAdmin:    "Provider Account Administrator",
	ProviderBillingUser:     "Provider Billing User",
	ProviderSupportUser:     "Provider Support User",
	TenantAdmin:             "Tenant Administrator",
	TenantUser:              "Tenant User",
	TenantBillingUser:       "Tenant Billing User",
}

var (
	providerRoles = []string{ProviderAdmin, ProviderOperationsAdmin, ProviderAccountAdmin, ProviderBillingUser, ProviderSupportUser}
	tenantRoles   = []string{TenantAdmin, TenantUser, TenantBillingUser}
)

// rolesOf are the roles that an organization of a type has.
func rolesOf(orgType string) []string {
	if orgType == typeProvider {
		return providerRoles
	}
	return tenantRoles
}

// Who may do what, by the prerequisites of the guide's sections.
var (
	toCreateTenants = []string{ProviderAdmin, ProviderOperationsAdmin}
	toSeeTenants    = []string{ProviderAdmin, ProviderOperationsAdmin, ProviderAccountAdmin}
	toManageUsers   = []string{ProviderAdmin, ProviderOperationsAdmin, ProviderAccountAdmin, TenantAdmin}
	toSeeUsage      = []string{ProviderAdmin, ProviderBillingUser, TenantAdmin}
	toLoadUsage     = []string{ProviderAdmin, ProviderBillingUser, TenantAdmin, TenantBillingUser}
	toSeeTerms      = []string{ProviderAdmin, ProviderOperationsAdmin, ProviderBillingUser}
	toGetSupport    = []string{ProviderAdmin, ProviderSupportUser, TenantAdmin}
)

func anyOf(held, allowed []string) bool {
	return slices.ContainsFunc(held, func(r string) bool { return slices.Contains(allowed, r) })
}
