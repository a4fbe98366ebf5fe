<#
.SYNOPSIS
Writes the virtual switches, ports and policies of this Hyper-V host to one JSON file that extswitch imports.

.DESCRIPTION
Reads only: nothing on the host is changed. Run it as an administrator, or as a member of Hyper-V Administrators, in Windows
PowerShell 5.1 with the Hyper-V module; PowerShell 7 has that module from Windows Server 2019 on. The file has names, ids and addresses of the host's switches and VMs:
look at it before you give it to somebody.

.PARAMETER Path
The file to write. An existing one is only replaced with -Force.

.PARAMETER SwitchName
Switches to read, default all.

.PARAMETER VMName
VMs to read, default all.

.EXAMPLE
.\Export-ExtSwitchDocument.ps1 -Path C:\Temp\host.json

.EXAMPLE
.\Export-ExtSwitchDocument.ps1 -Path host.json -SwitchName Outside -VMName web1, web2
#>
#Requires -Version 5.1
#Requires -Modules Hyper-V
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true, Position = 0)]
    [string] $Path,
    [string[]] $SwitchName = @('*'),
    [string[]] $VMName = @('*'),
    [switch] $Force
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$namespace = 'root/virtualization/v2'

# Members of every setting class that are about the instance, not the policy.
$inherited = @('InstanceID', 'Caption', 'Description', 'ElementName', 'PSComputerName')

# DMTF datetime, which is what the class has; CIM gives a DateTime or a TimeSpan.
function ConvertTo-DmtfTime($value) {
    if ($value -is [timespan]) {
        # A cast rounds, and 1000000 microseconds would be a digit too many.
        $micros = [long][math]::Floor(($value.Ticks % 10000000) / 10)
        return '{0:00000000}{1:00}{2:00}{3:00}.{4:000000}:000' -f $value.Days, $value.Hours, $value.Minutes, $value.Seconds, $micros
    }
    $utc = $value.ToUniversalTime()
    return $utc.ToString('yyyyMMddHHmmss.ffffff', [cultureinfo]::InvariantCulture) + '+000'
}

# One value as JSON can carry it: 64-bit integers as text, since most readers of JSON lose their last digits.
function ConvertTo-Plain($value) {
    if ($value -is [uint64] -or $value -is [int64]) { return $value.ToString([cultureinfo]::InvariantCulture) }
    if ($value -is [datetime] -or $value -is [timespan]) { return ConvertTo-DmtfTime $value }
    if ($value -is [char]) { return [string]$value }
    return $value
}

# Here as everywhere arrays are made by @() where they are kept: one that a function hands on as a whole may be wrapped, and
# ConvertTo-Json of 5.1 writes that as { value, Count }.
function Add-Value($table, [string] $name, $value) {
    if ($inherited -contains $name) { return }
    if ($value -is [array]) { $table[$name] = @(foreach ($one in $value) { ConvertTo-Plain $one }) }
    else { $table[$name] = ConvertTo-Plain $value }
}

# Properties of a setting by name, whether the module gives a CIM object, a WMI object or an object of its own.
function Get-PropertyTable($data) {
    $table = [ordered]@{}
    if ($null -ne $data.PSObject.Properties['CimInstanceProperties']) {
        foreach ($property in $data.CimInstanceProperties) { Add-Value $table $property.Name $property.Value }
        return $table
    }
    # By name: the type is not there in every edition. Its PSObject would give Scope, Path and others of .NET, too.
    if ($data.PSObject.TypeNames -contains 'System.Management.ManagementBaseObject') {
        foreach ($property in $data.PSBase.Properties) { Add-Value $table $property.Name $property.Value }
        return $table
    }
    foreach ($property in $data.PSObject.Properties) {
        if (@('NoteProperty', 'Property') -contains [string]$property.MemberType) {
            Add-Value $table $property.Name $property.Value
        }
    }
    return $table
}

function Get-ClassName($data) {
    if ($null -ne $data.PSObject.Properties['CimClass']) { return $data.CimClass.CimClassName }
    if ($null -ne $data.PSObject.Properties['__CLASS']) { return $data.__CLASS }
    return ''
}

function ConvertTo-Feature($feature) {
    return [ordered]@{
        featureId  = [string]$feature.Id
        name       = [string]$feature.Name
        className  = [string](Get-ClassName $feature.SettingData)
        instanceId = [string]$feature.SettingData.InstanceID
        settings   = Get-PropertyTable $feature.SettingData
    }
}

function ConvertTo-FeatureList($features) {
    foreach ($feature in @($features)) {
        if ($null -ne $feature) { ConvertTo-Feature $feature }
    }
}

function ConvertTo-MofText([string] $text) {
    return '"' + $text.Replace('\', '\\').Replace('"', '\"').Replace("`r", '\r').Replace("`n", '\n').Replace("`t", '\t') + '"'
}

function ConvertTo-MofValue($value, [string] $type) {
    if ($value -is [array]) {
        $items = @()
        foreach ($one in $value) { $items += ConvertTo-MofValue $one $type }
        return '{' + ($items -join ', ') + '}'
    }
    if ($value -is [bool]) { return $(if ($value) { 'TRUE' } else { 'FALSE' }) }
    if ($value -is [string]) { return ConvertTo-MofText $value }
    if ($value -is [char]) { return "'\x{0:x4}'" -f [int]$value }
    if ($value -is [datetime] -or $value -is [timespan]) { return ConvertTo-MofText (ConvertTo-DmtfTime $value) }
    if ($value -is [single] -or $value -is [double]) {
        $text = $value.ToString('R', [cultureinfo]::InvariantCulture)
        return $(if ($text -match '\.') { $text } elseif ($text -match 'E') { $text -replace 'E', '.0E' } else { "$text.0" })
    }
    return $value.ToString([cultureinfo]::InvariantCulture)
}

function ConvertTo-MofQualifierList($qualifiers, [string[]] $names) {
    $list = @()
    foreach ($qualifier in $qualifiers) {
        if ($names -notcontains $qualifier.Name -or $null -eq $qualifier.Value) { continue }
        if ($qualifier.Value -is [bool]) {
            if ($qualifier.Value) { $list += $qualifier.Name }
        }
        elseif ($qualifier.Value -is [array]) { $list += $qualifier.Name + ' ' + (ConvertTo-MofValue $qualifier.Value '') }
        else { $list += $qualifier.Name + '(' + (ConvertTo-MofValue $qualifier.Value '') + ')' }
    }
    return $list -join ', '
}

$classQualifiers = @('Dynamic', 'UUID', 'ExtensionId', 'Provider', 'Locale', 'InterfaceVersion', 'InterfaceRevision', 'DisplayName', 'Description')
$memberQualifiers = @('Read', 'Write', 'WmiDataId', 'InterfaceVersion', 'InterfaceRevision', 'MaxLen', 'Max', 'MinValue', 'MaxValue', 'DisplayName', 'Description', 'ValueMap', 'Values')

# MOF text of a class as it is registered: only members that are serialized, those with WmiDataId.
function ConvertTo-Mof($class) {
    $lines = @('[' + (ConvertTo-MofQualifierList $class.CimClassQualifiers $classQualifiers) + ']')
    $lines += 'class ' + $class.CimClassName + ' : ' + $class.CimSuperClassName + ' {'
    foreach ($property in $class.CimClassProperties) {
        if ($null -eq $property.Qualifiers['WmiDataId']) { continue }
        $type = [string]$property.CimType
        $isArray = $type -like '*Array'
        $type = ($type -replace 'Array$', '').ToLowerInvariant()
        $brackets = $(if ($isArray) { '[]' } else { '' })
        $default = $(if ($null -eq $property.Value) { '' } else { ' = ' + (ConvertTo-MofValue $property.Value $type) })
        $lines += '  [' + (ConvertTo-MofQualifierList $property.Qualifiers $memberQualifiers) + ']'
        $lines += '  ' + $type + ' ' + $property.Name + $brackets + $default + ';'
    }
    $lines += '};'
    return ($lines -join "`n") + "`n"
}

function Get-FeatureClassList {
    foreach ($class in Get-CimClass -Namespace $namespace) {
        $uuid = $class.CimClassQualifiers['UUID']
        if ($null -eq $uuid -or $null -eq $class.CimClassQualifiers['ExtensionId']) { continue }
        # Status classes share UUIDs with nothing that is configured: only settings are dumped.
        if ($class.CimSuperClassName -notmatch 'FeatureSettingData$') { continue }
        [ordered]@{ name = $class.CimClassName; featureId = [string]$uuid.Value; mof = ConvertTo-Mof $class }
    }
}

# Adapters below the external NIC: those of a switch embedded team, else the one the switch is bound to.
function Get-UplinkList($vmSwitch) {
    if ([string]$vmSwitch.SwitchType -ne 'External') { return }
    # The list came with switch embedded teaming, Windows Server 2016.
    $descriptions = @()
    if ($null -ne $vmSwitch.PSObject.Properties['NetAdapterInterfaceDescriptions']) {
        $descriptions = @($vmSwitch.NetAdapterInterfaceDescriptions)
    }
    if ($descriptions.Count -eq 0) { $descriptions = @($vmSwitch.NetAdapterInterfaceDescription) }
    foreach ($description in $descriptions) {
        $adapter = Get-NetAdapter -InterfaceDescription $description -ErrorAction SilentlyContinue | Select-Object -First 1
        if ($null -eq $adapter) {
            Write-Warning "Switch $($vmSwitch.Name): no network adapter is called '$description'; the uplink is left out."
            continue
        }
        [ordered]@{
            name        = [string]$adapter.Name
            description = [string]$adapter.InterfaceDescription
            mac         = [string]$adapter.PermanentAddress
            id          = [string]$adapter.InterfaceGuid
            pnpId       = [string]$adapter.PnPDeviceID
        }
    }
}

function Get-InternalList($vmSwitch) {
    $adapters = Get-VMNetworkAdapter -ManagementOS | Where-Object { $_.SwitchId -eq $vmSwitch.Id }
    foreach ($adapter in @($adapters)) {
        if ($null -eq $adapter) { continue }
        [ordered]@{
            name     = [string]$adapter.Name
            mac      = [string]$adapter.MacAddress
            # By the object: two switches may have NICs of one name.
            features = @(ConvertTo-FeatureList (Get-VMSwitchExtensionPortFeature -VMNetworkAdapter $adapter))
        }
    }
}

function ConvertTo-Switch($vmSwitch) {
    $extensions = @()
    foreach ($extension in @(Get-VMSwitchExtension -VMSwitch $vmSwitch)) {
        $extensions += , ([ordered]@{
                id      = [string]$extension.Id
                name    = [string]$extension.Name
                version = [string]$extension.Version
                enabled = [bool]$extension.Enabled
            })
    }
    $external = $null
    if ([string]$vmSwitch.SwitchType -eq 'External') {
        $external = Get-VMSwitchExtensionPortFeature -ExternalPort -SwitchName $vmSwitch.Name
    }
    return [ordered]@{
        id               = [string]$vmSwitch.Id
        name             = [string]$vmSwitch.Name
        type             = [string]$vmSwitch.SwitchType
        isTeam           = $null -ne $vmSwitch.PSObject.Properties['EmbeddedTeamingEnabled'] -and [bool]$vmSwitch.EmbeddedTeamingEnabled
        adapters         = @(Get-UplinkList $vmSwitch)
        extensions       = $extensions
        features         = @(ConvertTo-FeatureList (Get-VMSwitchExtensionSwitchFeature -VMSwitch $vmSwitch))
        externalFeatures = @(ConvertTo-FeatureList $external)
        internal         = @(Get-InternalList $vmSwitch)
    }
}

function ConvertTo-Adapter($adapter) {
    $required = @()
    if ($null -ne $adapter.PSObject.Properties['MandatoryFeatureId']) {
        foreach ($id in @($adapter.MandatoryFeatureId)) { if ($null -ne $id) { $required += [string]$id } }
    }
    # Id is Microsoft:<VM>\<NIC>.
    $result = [ordered]@{
        id               = ([string]$adapter.Id).Split('\')[-1]
        name             = [string]$adapter.Name
        isLegacy         = [bool]$adapter.IsLegacy
        isDynamicMac     = [bool]$adapter.DynamicMacAddressEnabled
        mac              = [string]$adapter.MacAddress
        requiredFeatures = $required
        features         = @(ConvertTo-FeatureList (Get-VMSwitchExtensionPortFeature -VMNetworkAdapter $adapter))
    }
    if (-not [string]::IsNullOrEmpty($adapter.SwitchName)) {
        $result['switchId'] = [string]$adapter.SwitchId
        $result['switchName'] = [string]$adapter.SwitchName
    }
    return $result
}

if ((Test-Path -LiteralPath $Path) -and -not $Force) {
    throw "$Path exists already: give another name, or -Force to replace it."
}
$switches = @()
foreach ($vmSwitch in @(Get-VMSwitch | Where-Object { $one = $_; @($SwitchName | Where-Object { $one.Name -like $_ }).Count -gt 0 })) {
    Write-Verbose "Switch $($vmSwitch.Name)"
    $switches += , (ConvertTo-Switch $vmSwitch)
}
$vms = @()
foreach ($vm in @(Get-VM | Where-Object { $one = $_; @($VMName | Where-Object { $one.Name -like $_ }).Count -gt 0 })) {
    Write-Verbose "VM $($vm.Name)"
    $adapters = @()
    foreach ($adapter in @(Get-VMNetworkAdapter -VM $vm)) {
        if ($null -ne $adapter) { $adapters += , (ConvertTo-Adapter $adapter) }
    }
    $vms += , ([ordered]@{ id = [string]$vm.VMId; name = [string]$vm.Name; state = [string]$vm.State; adapters = $adapters })
}
$document = [ordered]@{
    format   = 'extswitch-hyperv-dump'
    version  = 1
    host     = [string]$env:COMPUTERNAME
    build    = [int][Environment]::OSVersion.Version.Build
    classes  = @(Get-FeatureClassList)
    switches = $switches
    vms      = $vms
}
$json = ConvertTo-Json -InputObject $document -Depth 12
# UTF-8 without a byte order mark, the same in both editions; Out-File would write UTF-16 in 5.1.
$full = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
[System.IO.File]::WriteAllText($full, $json + "`n", (New-Object System.Text.UTF8Encoding($false)))
Write-Output "Wrote $full`: $($switches.Count) switch(es), $($vms.Count) VM(s)."
